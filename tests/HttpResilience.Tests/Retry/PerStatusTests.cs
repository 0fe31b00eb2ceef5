namespace HttpResilience.Tests.Retry;

/// <summary><c>Retry:Statuses</c>.</summary>
public sealed class PerStatusTests
{
    [Theory]
    [InlineData(null, 2), InlineData("Transient", 1), InlineData("ServerError", 1), InlineData("RateLimited", 2)]
    public async Task A_503_with_Retry_After_may_have_been_processed_where_the_client_says_so(string? failureClass, int requests)
    {
        using var chain = new Chain(o => o.Idempotency.Enabled = false, settings: new Dictionary<string, string?>
        {
            ["Retry:Statuses:503:FailureClass"] = failureClass,
        });
        chain.Server.Script(Replies.Status(503, ("Retry-After", "1")), Replies.Status(201));

        using var response = await chain.PostAsync();

        chain.Server.Requests.Count.ShouldBe(requests);
        response.GetHttpCall()!.MayHaveBeenProcessed.ShouldBe(requests == 1);
    }

    [Fact]
    public async Task A_404_is_repeated_where_it_is_opted_in()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?>
        {
            ["Retry:Statuses:404:MaxRetryAttempts"] = "2",
            ["Retry:Statuses:404:Delay"] = "00:00:05",
        });
        chain.Server.Script(Replies.Status(404));

        using var response = await chain.GetAsync();

        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 5, 15]);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.AttemptsExhausted);
    }

    [Fact]
    public async Task A_503_may_wait_longer_than_the_other_statuses()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Retry:Statuses:503:DelayMultiplier"] = "3" });
        chain.Server.Script(Replies.Status(503), Replies.Status(500), Replies.Status(200));

        using var response = await chain.GetAsync();

        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 3, 5]);
    }

    [Fact]
    public async Task A_status_may_have_its_retries_taken_away()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Retry:Statuses:500:MaxRetryAttempts"] = "0" });
        chain.Server.Script(Replies.Status(500), Replies.Status(200));

        using var response = await chain.GetAsync();

        ((int)response.StatusCode).ShouldBe(500);
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Options_of_the_call_take_precedence_over_those_of_the_status()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Retry:Statuses:503:MaxRetryAttempts"] = "1" });
        chain.Server.Script(Replies.Status(503));

        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(3))).Dispose();

        chain.Server.Requests.Count.ShouldBe(4);
    }
}
