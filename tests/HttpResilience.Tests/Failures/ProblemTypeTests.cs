using System.Net;
using System.Text;

namespace HttpResilience.Tests.Failures;

/// <summary>The problem types of draft-ietf-httpapi-ratelimit-headers.</summary>
public sealed class ProblemTypeTests
{
    private const string Types = "https://iana.org/assignments/http-problem-types#";

    [Theory]
    [InlineData("quota-exceeded", 403, true), InlineData("quota-exceeded", 429, true), InlineData("quota-exceeded", 503, true)]
    [InlineData("temporary-reduced-capacity", 403, true), InlineData("temporary-reduced-capacity", 503, true)]
    [InlineData("abnormal-usage-detected", 429, false), InlineData("abnormal-usage-detected", 503, false)]
    [InlineData("something-else", 429, true), InlineData("something-else", 403, false), InlineData("something-else", 503, true)]
    // Of other statuses the body is not read ahead.
    [InlineData("quota-exceeded", 400, false)]
    public async Task A_problem_decides_whether_its_request_is_repeated(string type, int status, bool isRepeated)
    {
        foreach (bool async in (bool[])[true, false])
        {
            using var chain = new Chain();
            chain.Server.Script(
                Replies.Status(status, $$"""{"type":"{{Types}}{{type}}"}""", "application/problem+json"), Replies.Status(200));

            using var response = await chain.GetAsync(async);

            ((int)response.StatusCode).ShouldBe(isRepeated ? 200 : status);
            chain.Server.Requests.Count.ShouldBe(isRepeated ? 2 : 1);
        }
    }

    [Theory]
    [InlineData("quota-exceeded", FailureClass.RateLimited), InlineData("temporary-reduced-capacity", FailureClass.Transient)]
    [InlineData("abnormal-usage-detected", FailureClass.Permanent), InlineData("unknown", FailureClass.Authorization)]
    public async Task A_problem_has_the_class_of_what_it_says(string type, FailureClass expected)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(403, $$"""{"type":"{{Types}}{{type}}"}""", "application/problem+json"));

        using var response = await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0));

        response.GetHttpCall()!.FailureClass.ShouldBe(expected);
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain(type);
    }

    [Fact]
    public async Task A_request_without_a_key_that_a_problem_says_was_not_processed_is_repeated()
    {
        using var chain = new Chain(o => o.Idempotency.Enabled = false);
        chain.Server.Script(
            Replies.Status(503, $$"""{"type":"{{Types}}temporary-reduced-capacity"}""", "application/problem+json"), Replies.Status(200));

        using var response = await chain.PostAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Abnormal_usage_is_not_repeated_even_where_the_status_is()
    {
        using var chain = new Chain(o => o.Retry.Statuses[429] = new() { MaxRetryAttempts = 5 });
        chain.Server.Script(Replies.Status(429, $$"""{"type":"{{Types}}abnormal-usage-detected"}""", "application/problem+json"));

        using var response = await chain.GetAsync();

        chain.Server.Requests.Count.ShouldBe(1);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.NotRetryable);
    }

    [Fact]
    public async Task The_class_that_the_user_gives_a_status_holds()
    {
        using var chain = new Chain(o => o.Retry.Statuses[429] = new() { FailureClass = FailureClass.Validation });
        chain.Server.Script(Replies.Status(429, $$"""{"type":"{{Types}}quota-exceeded"}""", "application/problem+json"));

        using var response = await chain.GetAsync();

        response.GetHttpCall()!.FailureClass.ShouldBe(FailureClass.Validation);
    }

    [Theory]
    [InlineData("""{"title":"t","violated-policies":["a"],"type":"X"}"""), InlineData("""{"a":{"type":"no"},"type":"X"}""")]
    [InlineData("""{"type":"X","detail":"it goes o""")]
    public void The_type_is_that_of_the_problem(string body) => TypeOf(body).ShouldBe("X");

    [Theory]
    [InlineData("""{"type":5}"""), InlineData("""{"type":null}"""), InlineData("""["type","X"]"""), InlineData("""{"a":{"type":"X"}}""")]
    [InlineData("{\"typ"), InlineData("not json"), InlineData(""), InlineData("\u0000"), InlineData("""{"type":"X""")]
    public void What_has_no_type_has_none(string body) => TypeOf(body).ShouldBeNull();

    [Theory, InlineData("application/json"), InlineData("text/plain")]
    public void Another_media_type_has_none(string mediaType) => TypeOf("""{"type":"X"}""", mediaType).ShouldBeNull();

    private static string? TypeOf(string body, string mediaType = "application/problem+json")
    {
        using var response = new HttpResponseMessage { Content = new StringContent(body, Encoding.UTF8, mediaType) };
        ErrorBody.ReadAheadAsync(response, 2048, TimeProvider.System, async: false, CancellationToken.None).AsTask().GetAwaiter()
            .GetResult();
        return ErrorBody.ProblemTypeOf(response);
    }
}
