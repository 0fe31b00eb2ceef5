using HttpResilience.Tests.CircuitBreaker;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Wire;

/// <summary>A response after an ambiguous attempt may be the effect of that attempt.</summary>
public sealed class OwnEffectTests
{
    private const string Check = "Check whether it was processed; then resolve it, or replay it";

    [Theory, InlineData(404, true), InlineData(410, true), InlineData(404, false)]
    public async Task A_delete_that_finds_nothing_after_an_ambiguous_attempt_has_succeeded(int status, bool async)
    {
        using var chain = Create(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.CircuitBreaker.FailureRatio) = (2, null));
        chain.Server.Status(503).Status(status).Status(503);

        using var response = await chain.SendAsync(async, new(HttpMethod.Delete, "invoices/1"));
        using var next = await chain.SendAsync(async, Get(retries: 0));

        var call = response.GetHttpCall()!;
        ((int)response.StatusCode).ShouldBe(status);
        (call.StopReason, call.FailureClass, call.DeadLetterId, call.Attempts.Count).ShouldBe(
            (StopReason.Succeeded, FailureClass.None, null, 2));
        // Neutral: the two failures are consecutive.
        chain.State.Hosts.All.Single().Circuit.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public async Task A_delete_that_finds_nothing_at_first_has_failed()
    {
        using var chain = Create();
        chain.Server.Status(404);

        using var response = await chain.SendAsync(async: true, new(HttpMethod.Delete, "invoices/1"));

        response.GetHttpCall()!.FailureClass.ShouldBe(FailureClass.NotFound);
        (await LetterOfAsync(chain, response)).SuggestedAction.ShouldBe("Check the endpoint or id");
    }

    [Fact]
    public async Task A_delete_that_was_not_processed_and_then_finds_nothing_has_failed()
    {
        using var chain = Create();
        chain.Server.Status(429, retryAfter: TimeSpan.FromSeconds(1)).Status(404);

        using var response = await chain.SendAsync(async: true, new(HttpMethod.Delete, "invoices/1"));

        response.GetHttpCall()!.FailureClass.ShouldBe(FailureClass.NotFound);
    }

    [Theory]
    [InlineData("POST", null, 412), InlineData("POST", null, 422), InlineData("PATCH", null, 412), InlineData("PUT", "If-Match", 412)]
    [InlineData("PUT", "If-None-Match", 412), InlineData("PUT", "If-Unmodified-Since", 409), InlineData("DELETE", "If-Match", 412)]
    public async Task A_guarded_write_that_is_rejected_after_an_ambiguous_attempt_is_to_be_checked(
        string method, string? condition, int status)
    {
        using var chain = Create();
        chain.Server.Status(503).Status(status);
        var request = new HttpRequestMessage(new(method), "invoices/1") { Content = new StringContent("{}") };
        if (condition is not null)
        {
            string value = condition is "If-Unmodified-Since" ? $"{DateTimeOffset.UnixEpoch:r}" : "\"1\"";
            request.Headers.TryAddWithoutValidation(condition, value);
        }

        using var response = await chain.SendAsync(async: true, request);

        var letter = await LetterOfAsync(chain, response);
        (letter.Status, letter.SuggestedAction, letter.MayHaveBeenProcessed).ShouldBe((DeadLetterStatus.RequiresReview, Check, true));
    }

    [Theory]
    [InlineData("POST", 422, false), InlineData("PUT", 422, true), InlineData("POST", 400, true)]
    public async Task Other_rejections_are_to_be_fixed(string method, int status, bool afterFailure)
    {
        using var chain = Create();
        if (afterFailure)
            chain.Server.Status(503);
        chain.Server.Status(status);

        using var response = await chain.SendAsync(
            async: true, new(new(method), "invoices/1") { Content = new StringContent("{}") });

        (await LetterOfAsync(chain, response)).SuggestedAction.ShouldBe("Fix the data and resubmit");
    }

    private static Chain Create(Action<HttpResilienceOptions>? options = null) => new(
        o =>
        {
            o.DeadLetter.Enabled = true;
            options?.Invoke(o);
        },
        services: s => s.AddHttpResilienceStorage(storage => storage.UseInMemory()));

    private static HttpRequestMessage Get(int retries) => Chain.Get().WithMaxRetryAttempts(retries);

    private static async Task<DeadLetter> LetterOfAsync(Chain chain, HttpResponseMessage response) =>
        (await chain.Services.GetRequiredService<IDeadLetterStore>().FindAsync(
            response.GetHttpCall()!.DeadLetterId!.Value, TestContext.Current.CancellationToken))!;
}
