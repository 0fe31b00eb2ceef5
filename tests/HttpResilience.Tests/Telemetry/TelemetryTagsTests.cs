using System.Text.RegularExpressions;

namespace HttpResilience.Tests.Telemetry;

public sealed partial class TelemetryTagsTests
{
    [Theory]
    [InlineData("GET",
        "GET"), InlineData("HEAD", "HEAD"), InlineData("POST", "POST"), InlineData("PUT", "PUT"), InlineData("DELETE", "DELETE")]
    [InlineData("CONNECT", "CONNECT"), InlineData("OPTIONS", "OPTIONS"), InlineData("TRACE", "TRACE"), InlineData("PATCH", "PATCH")]
    [InlineData("get",
        "GET"), InlineData("Post", "POST"), InlineData("BREW", "_OTHER"), InlineData("GETS", "_OTHER")]
    [InlineData("QUERY", "QUERY"), InlineData("query", "QUERY"), InlineData("PROPFIND", "_OTHER"), InlineData("PRI", "_OTHER")]
    public void Unknown_methods_are_reported_as_other(string method, string expected) =>
        TelemetryTags.MethodOf(new(method)).ShouldBe(expected);

    [Theory]
    [InlineData(FailureClass.None, 200, null), InlineData(FailureClass.None, 404, null), InlineData(FailureClass.None, null, null)]
    [InlineData(
        FailureClass.NotFound, 404, "404"), InlineData(FailureClass.Transient, 200, "200"), InlineData(FailureClass.Transient, null, null)]
    public void A_status_is_an_error_when_the_chain_takes_it_for_one(FailureClass failure, int? status, string? expected) =>
        TelemetryTags.ErrorTypeOf(failure, status, null).ShouldBe(expected);

    public static TheoryData<HttpRequestError> TransportErrors => [.. Enum.GetValues<HttpRequestError>()];

    // As the platform's own metric names them.
    [Theory, MemberData(nameof(TransportErrors))]
    public void A_transport_error_has_the_platforms_name(HttpRequestError error) =>
        TelemetryTags.ErrorTypeOf(FailureClass.Transient, null, new HttpRequestException(error)).ShouldBe(
            error is HttpRequestError.Unknown
                ? "System.Net.Http.HttpRequestException"
                : Words().Replace(error.ToString(), "_$0").ToLowerInvariant());

    public static TheoryData<Exception, string> Exceptions => new()
    {
        { new HttpRequestException("what a server said"), "System.Net.Http.HttpRequestException" },
        { new TaskCanceledException("late", new TimeoutException()), "timeout" },
        { new TaskCanceledException("left"), "System.Threading.Tasks.TaskCanceledException" },
        { new CircuitOpenException("https://api.test", null, null), "HttpResilience.CircuitOpenException" },
        { new RateLimitedException("https://api.test"), "HttpResilience.RateLimitedException" },
        { new FormatException("what a caller said"), "System.FormatException" },
    };

    [Theory, MemberData(nameof(Exceptions))]
    public void An_exception_is_reported_by_its_type(Exception exception, string expected) =>
        TelemetryTags.ErrorTypeOf(FailureClass.None, 200, exception).ShouldBe(expected);

    [Theory]
    [InlineData("https://api.test/a?b", "server.address=api.test, server.port=443"), InlineData(
        "http://[::1]:8080/", "server.address=::1, server.port=8080")]
    [InlineData("https://user:secret@bücher.test/", "server.address=xn--bcher-kva.test, server.port=443"), InlineData("relative", "")]
    public void A_host_is_reported_by_name_and_port(string uri, string expected) =>
        string.Join(", ", TelemetryTags.Of("api", new Uri(uri, UriKind.RelativeOrAbsolute)).Select(t => $"{t.Key}={t.Value}"))
            .ShouldBe(expected.Length == 0 ? "http.resilience.client=api" : $"http.resilience.client=api, {expected}");

    [GeneratedRegex("(?<=.)[A-Z]")]
    private static partial Regex Words();
}
