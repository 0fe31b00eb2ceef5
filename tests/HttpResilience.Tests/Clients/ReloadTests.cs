using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Clients;

public sealed class ReloadTests
{
    [Fact]
    public async Task A_good_reload_holds_for_the_next_call()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(500));
        (await chain.GetAsync()).Dispose();

        chain.Reload(("Retry:MaxRetryAttempts", "1"), ("CircuitBreaker:FailureThreshold", "100"));
        (await chain.GetAsync()).Dispose();

        chain.Server.Requests.Count.ShouldBe(4 + 2);
        chain.Logs.WithId(402).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Debug);
    }

    [Fact]
    public async Task A_call_that_is_running_keeps_its_policy()
    {
        using var chain = new Chain();
        chain.Clock.SkipsWaits = false;
        chain.Server.Script(Replies.Status(500));
        var running = chain.GetAsync();
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(1));

        chain.Reload(("Retry:MaxRetryAttempts", "0"), ("CircuitBreaker:FailureThreshold", "100"));
        chain.Clock.SkipsWaits = true;
        chain.Clock.Advance(TimeSpan.FromSeconds(1));

        using var response = await running;
        response.GetHttpCall()!.Attempts.Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_bad_reload_keeps_the_last_good_policy_and_says_why()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Retry:MaxRetryAttempts"] = "1" });
        chain.Server.Script(Replies.Status(500));
        var good = chain.State.Policy;

        chain.Reload(("Retry:MaxRetryAttempts", "many"), ("AttemptTimeout:Timeout", "-00:00:01"), ("Retry:BackofFactor", "2"));

        chain.State.Policy.ShouldBeSameAs(good);
        (await chain.GetAsync()).Dispose();
        chain.Server.Requests.Count.ShouldBe(2);
        var error = chain.Logs.WithId(403).ShouldHaveSingleItem();
        error.Level.ShouldBe(LogLevel.Error);
        error["ClientName"].ShouldBe(Chain.Name);
        error.Message.ShouldContain("HttpResilience:Clients:api:Retry:MaxRetryAttempts is 'many'");
        error.Message.ShouldContain("HttpResilience:Clients:api:AttemptTimeout:Timeout is '-00:00:01'");
        error.Message.ShouldContain("did you mean HttpResilience:Clients:api:Retry:BackoffFactor?");
    }

    [Fact]
    public async Task A_good_reload_after_a_bad_one_holds()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(500));
        _ = chain.State;
        chain.Reload(("Retry:MaxRetryAttempts", "many"));

        chain.Reload(("Retry:MaxRetryAttempts", "0"));

        (await chain.GetAsync()).Dispose();
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Code_keeps_the_last_word()
    {
        using var chain = new Chain(o => o.Retry.MaxRetryAttempts = 1);
        chain.Server.Script(Replies.Status(500));
        _ = chain.State;

        chain.Reload(("Retry:MaxRetryAttempts", "3"));

        (await chain.GetAsync()).Dispose();
        chain.Server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Stages_can_be_switched_off_while_the_client_is_in_use()
    {
        using var chain = new Chain();
        (await chain.PostAsync()).Dispose();

        chain.Reload(("Idempotency:Enabled", "false"), ("CircuitBreaker:BreakDuration", ""), ("Retry:MaxRetryAttempts", "0"));
        chain.Server.Script(Replies.Status(503));
        for (int i = 0; i < 10; i++)
            (await chain.PostAsync()).Dispose();

        chain.Server.Requests.Count.ShouldBe(1 + 10);
        chain.Server.Requests[^1].IdempotencyKey.ShouldBeNull();
    }

    [Fact]
    public async Task Code_that_throws_keeps_the_last_good_policy_and_says_why()
    {
        bool throws = false;
        using var chain = new Chain(_ =>
        {
            if (throws)
                throw new InvalidOperationException("no such environment");
        });
        var good = chain.State.Policy;
        throws = true;

        chain.Reload(("Retry:MaxRetryAttempts", "1"));

        chain.State.Policy.ShouldBeSameAs(good);
        chain.Logs.WithId(403).ShouldHaveSingleItem().Message.ShouldContain("no such environment");
        (await chain.GetAsync()).Dispose();
    }
}
