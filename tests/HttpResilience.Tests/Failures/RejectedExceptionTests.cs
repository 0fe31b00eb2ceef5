using System.Net;

namespace HttpResilience.Tests.Failures;

/// <summary>The one type that stands for a call the chain rejected.</summary>
public sealed class RejectedExceptionTests
{
    private const string Host = "https://api.test";
    private static readonly TimeSpan ThreeSeconds = TimeSpan.FromSeconds(3);

    public static TheoryData<RejectedException, StopReason, FailureClass, string?> Rejections => new()
    {
        { new CircuitOpenException(Host, ThreeSeconds), StopReason.CircuitOpen, FailureClass.Transient, Host },
        { new RateLimitedException(Host, ThreeSeconds), StopReason.RateLimited, FailureClass.RateLimited, Host },
        { new IntegrationPausedException("api", default, ThreeSeconds), StopReason.IntegrationPaused, FailureClass.Transient, null },
    };

    [Theory, MemberData(nameof(Rejections))]
    public async Task A_call_that_is_rejected_ends_for_the_reason_of_its_exception(
        RejectedException rejection, StopReason stopReason, FailureClass failureClass, string? authority)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Throws(() => rejection));

        var thrown = await Should.ThrowAsync<RejectedException>(() => chain.GetAsync());

        (thrown.Authority, thrown.RetryAfter).ShouldBe((authority, ThreeSeconds));
        thrown.ShouldBeAssignableTo<HttpRequestException>()!.StatusCode.ShouldBeNull();
        var call = thrown.GetHttpCall()!;
        (call.StopReason, call.FailureClass, call.Attempts.Count).ShouldBe((stopReason, failureClass, 0));
    }

    [Fact]
    public void The_status_that_opened_the_circuit_is_kept() =>
        new CircuitOpenException(Host, null, statusCode: HttpStatusCode.BadGateway).StatusCode.ShouldBe(HttpStatusCode.BadGateway);

    [Theory]
    [InlineData(null, null, $"Circuit for {Host} rejected the request: a probe is in flight, or an operator isolated the circuit.")]
    [InlineData("comp1", 2.5, $"Circuit for {Host}, tenant comp1, is open for another 2.5 s; no request was sent.")]
    public void The_message_of_an_open_circuit_names_the_host_the_tenant_and_the_remaining_time(
        string? tenant, double? seconds, string message) =>
        new CircuitOpenException(Host, seconds is { } s ? TimeSpan.FromSeconds(s) : null, tenant).Message.ShouldBe(message);
}
