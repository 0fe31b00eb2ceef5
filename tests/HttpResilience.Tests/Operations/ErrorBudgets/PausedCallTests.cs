using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Operations.ErrorBudgets;

/// <summary>The calls of an integration whose budget is used up.</summary>
public sealed class PausedCallTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task The_fifth_failure_pauses_the_integration_and_no_further_call_is_sent(bool async)
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
                + "1,000 times the error budget is used up. To resume it at once: IErrorBudgets.ResumeAsync"));
        // Rejected calls are not traffic.
        chain.Budget.Read(TimeSpan.FromDays(30), chain.Clock.GetTimestamp()).ShouldBe(new(5, 5));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Three_successful_probes_end_a_pause_and_earlier_failures_do_not_start_another(bool async)
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
    public async Task A_cancelled_probe_frees_its_place()
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
    public async Task A_client_without_a_limit_is_not_paused_and_its_state_is_logged_once()
    {
        using var chain = PausingChain(o => o.ErrorBudget.PauseAtBurn = null);

        await FailAsync(chain, 50);

        (chain.Budget.IsPaused, chain.Budget.State).ShouldBe((false, ErrorBudgetState.Exceeded));
        var told = chain.Logs.WithId(601).ShouldHaveSingleItem();
        (told.Level, told.Message).ShouldBe(
            (LogLevel.Warning, "api: the error budget is Exceeded, 1,000 times the error budget is used up (window 30.00:00:00)"));
        chain.Clock.Advance(TimeSpan.FromDays(30));
        chain.Server.Script(Replies.Status(200));
        (await chain.GetAsync()).Dispose();
        chain.Budget.State.ShouldBe(ErrorBudgetState.Quiet);
        chain.Logs.WithId(602).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Information);
    }

    [Fact]
    public async Task The_state_is_heightened_above_100_percent_and_recovers_with_successful_calls()
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
    public async Task A_reload_changes_the_objective_and_not_the_counts()
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
    public async Task A_shorter_window_applies_at_once()
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
    public async Task Only_failures_caused_by_the_API_count()
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
    public async Task A_read_of_a_paused_integration_gets_the_last_good_response_and_the_avoided_failure_counts()
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
    public async Task A_paused_token_client_ends_the_dependent_call_without_a_retry()
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
                // Due at a time at which no other timer of these tests is due.
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
