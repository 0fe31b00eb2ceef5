using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Operations.ErrorBudgets;

/// <summary>What calls of an integration meet whose budget is used up.</summary>
public sealed class PausedCallTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task The_fifth_failure_pauses_the_integration_and_nothing_more_is_sent(bool async)
    {
        using var chain = PausingChain();
        await FailAsync(chain, 4);
        chain.Budget.IsPaused.ShouldBeFalse();
        await FailAsync(chain, 1);

        chain.Clock.Advance(TimeSpan.FromSeconds(10));
        var paused = await Should.ThrowAsync<IntegrationPausedException>(() => chain.PostAsync(async));

        (paused.ClientName, paused.RetryAfter, paused.Since).ShouldBe(
            ("api", TimeSpan.FromSeconds(20), chain.Clock.GetUtcNow() - TimeSpan.FromSeconds(10)));
        paused.Message.ShouldBe(
            "Client 'api' has been paused since 2030-01-02 03:04:05Z; the next probe is sent in 20.0 s at the earliest.");
        chain.Server.Requests.Count.ShouldBe(5);
        var call = paused.GetHttpCall()!;
        (call.StopReason, call.FailureClass, call.Attempts.Count, call.MayHaveBeenProcessed)
            .ShouldBe((StopReason.IntegrationPaused, FailureClass.Transient, 0, false));
        var logged = chain.Logs.WithId(603).ShouldHaveSingleItem();
        (logged.Level, logged.Message).ShouldBe(
            (LogLevel.Error, "api: the integration is paused by its error budget, nothing is sent; "
                + "100000 % of the error budget are used up. To resume it at once: IErrorBudgets.ResumeAsync"));
        // What was turned away is no traffic.
        chain.Budget.Read(TimeSpan.FromDays(30), chain.Clock.GetTimestamp()).ShouldBe(new(5, 5));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Three_probes_that_succeed_resume_it_and_what_failed_before_pauses_it_no_more(bool async)
    {
        using var chain = PausingChain();
        await FailAsync(chain, 5);
        chain.Server.Script(Replies.Status(500), Replies.Status(200), Replies.Status(404), Replies.Status(201));

        for (int probe = 1; probe <= 4; probe++)
        {
            chain.Budget.IsPaused.ShouldBeTrue();
            await Should.ThrowAsync<IntegrationPausedException>(() => chain.GetAsync(async));
            chain.Clock.Advance(TimeSpan.FromSeconds(30));
            (await chain.GetAsync(async)).Dispose();
        }

        chain.Budget.IsPaused.ShouldBeFalse();
        (chain.Logs.WithId(604).Count, chain.Logs.WithId(605).ShouldHaveSingleItem().Message)
            .ShouldBe((4, "api: the integration is resumed by probes that succeeded"));
        await FailAsync(chain, 4);
        chain.Budget.IsPaused.ShouldBeFalse();
        await FailAsync(chain, 1);
        chain.Budget.IsPaused.ShouldBeTrue();
    }

    [Fact]
    public async Task A_probe_that_its_caller_cancels_frees_its_place()
    {
        using var chain = PausingChain();
        await FailAsync(chain, 5);
        chain.Clock.Advance(TimeSpan.FromSeconds(30));
        var begun = new TaskCompletionSource();
        chain.Server.Script(Replies.Hangs(begun), Replies.Status(200));
        using var caller = new CancellationTokenSource();
        var probe = chain.SendAsync(async: true, Chain.Get(), caller.Token);
        await begun.Task;
        await Should.ThrowAsync<IntegrationPausedException>(() => chain.GetAsync());

        await caller.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => probe);

        (await chain.GetAsync()).Dispose();
    }

    [Fact]
    public async Task A_probe_is_retried_like_any_call_and_counts_once()
    {
        using var chain = PausingChain(o => o.Retry.MaxRetryAttempts = 3);
        chain.Server.Script(Replies.Status(503));
        for (int i = 0; i < 5; i++)
            (await chain.GetAsync()).Dispose();
        chain.Clock.Advance(TimeSpan.FromSeconds(30));
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        (await chain.GetAsync()).GetHttpCall()!.Attempts.Count.ShouldBe(2);

        chain.Logs.WithId(604).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Without_a_limit_nothing_is_paused_and_the_state_is_told_once()
    {
        using var chain = PausingChain(o => o.ErrorBudget.PauseAtBurn = null);

        await FailAsync(chain, 50);

        (chain.Budget.IsPaused, chain.Budget.State).ShouldBe((false, ErrorBudgetState.Exceeded));
        var told = chain.Logs.WithId(601).ShouldHaveSingleItem();
        (told.Level, told.Message).ShouldBe(
            (LogLevel.Warning, "api: the error budget is Exceeded, 100000 % of it are used up (window 30.00:00:00)"));
        chain.Clock.Advance(TimeSpan.FromDays(30));
        chain.Server.Script(Replies.Status(200));
        (await chain.GetAsync()).Dispose();
        chain.Budget.State.ShouldBe(ErrorBudgetState.Quiet);
        chain.Logs.WithId(602).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Information);
    }

    [Fact]
    public async Task Heightened_is_above_100_percent_and_quiet_comes_back_with_good_calls()
    {
        using var chain = PausingChain(o => (o.ErrorBudget.PauseAtBurn, o.ErrorBudget.Objective) = (1000, 0.5));
        chain.Server.Script(Replies.Status(200));
        for (int i = 0; i < 4; i++)
            (await chain.GetAsync()).Dispose();
        await FailAsync(chain, 4);
        chain.Budget.State.ShouldBe(ErrorBudgetState.Quiet);

        await FailAsync(chain, 1);
        chain.Budget.State.ShouldBe(ErrorBudgetState.Heightened);

        chain.Server.Script(Replies.Status(200));
        for (int i = 0; i < 2; i++)
            (await chain.GetAsync()).Dispose();
        chain.Clock.Advance(TimeSpan.FromMinutes(1));
        (await chain.GetAsync()).Dispose();
        chain.Budget.State.ShouldBe(ErrorBudgetState.Quiet);
    }

    [Fact]
    public async Task A_reload_changes_what_may_fail_and_not_what_was_counted()
    {
        using var chain = PausingChain();
        await FailAsync(chain, 4);

        chain.Reload(("ErrorBudget:Objective", "0.5"), ("ErrorBudget:Window", "01:00:00"), ("ErrorBudget:PauseAtBurn", "3"));

        var status = chain.Services.GetRequiredService<IErrorBudgets>().List().ShouldHaveSingleItem();
        (status.Objective, status.Window, status.Calls, status.Failures, status.Burn, status.Remaining)
            .ShouldBe((0.5, TimeSpan.FromHours(1), 4, 4, 2, 0));
        await FailAsync(chain, 10);
        chain.Budget.IsPaused.ShouldBeFalse();
    }

    [Fact]
    public async Task A_shorter_window_holds_at_once()
    {
        using var chain = new Chain(o => o.Retry.MaxRetryAttempts = 0, services: s => s.AddHttpResilienceOperations());
        await FailAsync(chain, 5);
        chain.Clock.Advance(TimeSpan.FromHours(2));
        chain.Server.Script(Replies.Status(200));
        (await chain.GetAsync()).Dispose();
        chain.Budget.State.ShouldBe(ErrorBudgetState.Exceeded);

        chain.Reload(("ErrorBudget:Window", "01:00:00"));

        chain.Budget.State.ShouldBe(ErrorBudgetState.Quiet);
    }

    [Fact]
    public async Task Only_what_the_api_is_to_blame_for_counts()
    {
        using var chain = PausingChain(o => o.CircuitBreaker.FailureThreshold = null);
        chain.Server.Script(
            Replies.Status(200), Replies.Status(404), Replies.Status(409), Replies.Status(422), Replies.Status(501),
            Replies.Status(503), Replies.Status(429), Replies.Status(401), Replies.Throws(() => new InvalidOperationException("a bug")));
        for (int i = 0; i < 9; i++)
            _ = await Record.ExceptionAsync(async () => (await chain.GetAsync()).Dispose());
        await Should.ThrowAsync<OperationCanceledException>(() =>
            chain.SendAsync(async: true, Chain.Get(), new CancellationToken(canceled: true)));

        chain.Budget.Read(TimeSpan.FromHours(1), chain.Clock.GetTimestamp()).ShouldBe(new(8, 3));
        chain.Budget.ClassTotals.Where(t => t.Value > 0).ToDictionary(t => t.Key, t => t.Value).ShouldBe(new Dictionary<FailureClass, long>
        {
            [FailureClass.None] = 1,
            [FailureClass.NotFound] = 1,
            [FailureClass.Conflict] = 1,
            [FailureClass.Validation] = 1,
            [FailureClass.Permanent] = 1,
            [FailureClass.Transient] = 1,
            [FailureClass.RateLimited] = 1,
            [FailureClass.Authentication] = 1,
        }, ignoreOrder: true);
    }

    [Fact]
    public async Task A_read_of_a_paused_integration_is_answered_with_the_last_good_response_and_a_failure_that_is_spared_counts()
    {
        using var chain = PausingChain(o => o.Fallback.Enabled = true);
        chain.Server.Script(Replies.Status(200, ("Cache-Control", "max-age=60")));
        (await chain.GetAsync()).Dispose();
        chain.Server.Script(Replies.Status(500));
        for (int i = 0; i < 5; i++)
            (await chain.GetAsync()).Dispose();
        chain.Budget.Read(TimeSpan.FromHours(1), chain.Clock.GetTimestamp()).ShouldBe(new(6, 5));

        var response = await chain.GetAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.GetHttpCall()!.ShouldSatisfyAllConditions(c => c.IsStale.ShouldBeTrue(),
            c => c.StopReason.ShouldBe(StopReason.IntegrationPaused));
        chain.Server.Requests.Count.ShouldBe(6);
    }

    [Fact]
    public async Task A_token_client_that_is_paused_ends_the_call_of_the_client_that_needs_it_without_a_retry()
    {
        using var chain = PausingChain();
        chain.Server.Script(Replies.Throws(() => new IntegrationPausedException("tokens", DateTimeOffset.UnixEpoch, null)));

        var failure = await Should.ThrowAsync<IntegrationPausedException>(() => chain.PostAsync());

        failure.GetHttpCall()!.ShouldSatisfyAllConditions(c => c.StopReason.ShouldBe(StopReason.IntegrationPaused),
            c => c.MayHaveBeenProcessed.ShouldBeFalse());
        chain.Server.Requests.Count.ShouldBe(1);
        chain.Budget.Read(TimeSpan.FromHours(1), chain.Clock.GetTimestamp()).Calls.ShouldBe(0);
    }

    internal static Chain PausingChain(Action<HttpResilienceOptions>? options = null, Action<IServiceCollection>? services = null)
    {
        var chain = new Chain(
            o =>
            {
                o.Retry.MaxRetryAttempts = 0;
                o.CircuitBreaker.BreakDuration = null;
                // Due when nothing else is that a test waits for.
                o.AttemptTimeout.Timeout = TimeSpan.FromSeconds(7.3);
                o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(97.1);
                options?.Invoke(o);
            },
            services: s =>
            {
                s.AddHttpResilienceOperations();
                services?.Invoke(s);
            },
            settings: new Dictionary<string, string?> { ["ErrorBudget:PauseAtBurn"] = "2" });
        chain.Clock.SkipsWaits = options is not null;
        return chain;
    }

    internal static async Task FailAsync(Chain chain, int calls)
    {
        chain.Server.Script(Replies.Status(503));
        for (int i = 0; i < calls; i++)
            (await chain.GetAsync()).Dispose();
    }
}
