using HttpResilience.Tests.CircuitBreaker;
using HttpResilience.Tests.Operations.ErrorBudgets;
using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HttpResilience.Tests.Operations.Health;

public sealed class ResilienceHealthCheckTests : IDisposable
{
    private readonly TestStorage _store = new();
    private Chain? _chain;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_health_is_healthy_without_a_problem()
    {
        var chain = Open();
        (await chain.GetAsync()).Dispose();

        var entry = await CheckAsync();

        (entry.Status, entry.Description).ShouldBe((HealthStatus.Healthy, "All integrations are well."));
        var api = entry.Data["api"].ShouldBeOfType<Dictionary<string, object>>();
        api["authorities"].ShouldBeOfType<Dictionary<string, string>>()
            .ShouldBe(new Dictionary<string, string> { ["https://api.test"] = "closed" });
        (api["errorBudget"], api["errorBudgetRemaining"], api["burnRate1h"], api.ContainsKey("pausedSince"))
            .ShouldBe(("Quiet", 1.0, 0.0, false));
        entry.Data["storage"].ShouldBe("reachable");
    }

    [Theory, InlineData(true, "isolated"), InlineData(false, "open")]
    public async Task An_open_circuit_is_degraded(bool isolated, string state)
    {
        var chain = Open(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts, o.CircuitBreaker.BreakDuration) =
            (1, 0, TimeSpan.FromSeconds(30)));
        if (isolated)
            chain.Services.GetRequiredService<ICircuits>().Isolate("api", new("https://api.test"));
        else
            await PausedCallTests.FailAsync(chain, 1);

        var entry = await CheckAsync();

        (entry.Status, entry.Description).ShouldBe((HealthStatus.Degraded, $"api: the circuit of https://api.test is {state}."));
        entry.Data["api"].ShouldBeOfType<Dictionary<string, object>>()["authorities"].ShouldBeOfType<Dictionary<string,
            string>>()["https://api.test"].ShouldBe(state);
    }

    [Fact]
    public async Task Circuits_of_tenants_are_counted_and_not_named()
    {
        var chain = Open(o => o.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(30));
        chain.Services.GetRequiredService<ICircuits>().Isolate("api", new("https://api.test"), "secret-tenant");

        var entry = await CheckAsync();

        (entry.Status, entry.Description)
            .ShouldBe((HealthStatus.Degraded, "api: the circuits of 1 tenants of https://api.test are not closed."));
        System.Text.Json.JsonSerializer.Serialize(entry.Data).ShouldNotContain("secret-tenant");
    }

    [Fact]
    public async Task A_budget_that_is_used_up_or_burns_too_fast_is_degraded()
    {
        var chain = Open(o => (o.ErrorBudget.PauseAtBurn, o.ErrorBudget.Window) = (null, TimeSpan.FromDays(90)));
        for (int i = 0; i < 10_000; i++)
            chain.Budget.Count(FailureClass.None, isFailure: false, chain.Clock.GetTimestamp());
        chain.Clock.Advance(TimeSpan.FromDays(4));
        await PausedCallTests.FailAsync(chain, 6);
        (await CheckAsync()).ShouldSatisfyAllConditions(e => e.Status.ShouldBe(HealthStatus.Degraded),
            e => e.Description.ShouldBe("api burns its error budget too fast."));

        await PausedCallTests.FailAsync(chain, 15);

        (await CheckAsync()).ShouldSatisfyAllConditions(e => e.Status.ShouldBe(HealthStatus.Degraded),
            e => e.Description.ShouldBe("api has used up 210 % of its error budget."));
    }

    [Fact]
    public async Task A_paused_integration_is_unhealthy()
    {
        var chain = Open();
        await chain.Services.GetRequiredService<IErrorBudgets>().PauseAsync("api", "Ann", Stop);

        var entry = await CheckAsync();

        (entry.Status, entry.Description).ShouldBe((HealthStatus.Unhealthy, "api is paused by an operator since 2030-01-02 03:04:05Z."));
        entry.Data["api"].ShouldBeOfType<Dictionary<string, object>>()["pausedSince"].ShouldBe(chain.Clock.Start);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_store_that_fails_or_does_not_answer_in_5_seconds_is_unhealthy(bool hangs)
    {
        var chain = Open();
        Exception failure = new HttpResilienceStorageException("gone");
        var check = new ResilienceHealthCheck(chain.Services.GetRequiredService<IResilientClients>(),
            new(new DeadStore(hangs ? null : failure), chain.Clock), review: null, chain.Clock);

        var checking = check.CheckHealthAsync(new(), Stop);
        if (hangs)
        {
            await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(5));
            chain.Clock.Advance(TimeSpan.FromSeconds(4.9));
            checking.IsCompleted.ShouldBeFalse();
            chain.Clock.Advance(TimeSpan.FromSeconds(0.1));
        }

        var result = await checking;
        (result.Status, result.Description, result.Data["storage"])
            .ShouldBe((HealthStatus.Unhealthy, hangs ? "dead letters cannot be stored: The store has not answered in 5 s."
                : "dead letters cannot be stored: gone.", "unreachable"));
        if (hangs)
            result.Exception.ShouldBeOfType<TimeoutException>();
        else
            result.Exception.ShouldBe(failure);
    }

    [Fact]
    public async Task The_pause_of_a_budget_and_a_name_in_any_case_are_shown_as_they_are()
    {
        var chain = Open(o => (o.ErrorBudget.PauseAtBurn, o.Retry.MaxRetryAttempts, o.CircuitBreaker.BreakDuration) = (2, 0, null));
        await PausedCallTests.FailAsync(chain, 5);

        var entry = await CheckAsync();

        entry.Status.ShouldBe(HealthStatus.Unhealthy);
        entry.Description.ShouldBe(
            "api is paused by its error budget since 2030-01-02 03:04:05Z; api has used up 1,000 times its error budget.");
    }

    [Fact]
    public async Task All_checks_of_10_seconds_share_one_probe_whatever_their_number()
    {
        var chain = Open();
        int probes = 0;
        _store.Before(nameof(IDeadLetterStore.ProbeAsync), () => Interlocked.Increment(ref probes));

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => CheckAsync()));
        chain.Clock.Advance(TimeSpan.FromSeconds(9.9));
        await CheckAsync();
        probes.ShouldBe(1);
        chain.Clock.Advance(TimeSpan.FromSeconds(0.1));
        await CheckAsync();

        probes.ShouldBe(2);
    }

    [Fact]
    public async Task A_store_that_accepts_no_letter_is_unhealthy_until_it_does()
    {
        var chain = Open();
        (_store.Fails, _store.FailsOn) = (new HttpResilienceStorageException("The store is full."), nameof(IDeadLetterStore.ProbeAsync));
        var entry = await CheckAsync();
        (entry.Status, entry.Description).ShouldBe((HealthStatus.Unhealthy, "dead letters cannot be stored: The store is full."));

        _store.Fails = null;
        chain.Clock.Advance(TimeSpan.FromSeconds(10));

        (await CheckAsync()).Status.ShouldBe(HealthStatus.Healthy);
    }

    [Fact]
    public async Task The_message_of_an_unknown_exception_is_not_shown()
    {
        Open();
        _store.Fails = new InvalidOperationException("Host=db;Password=secret");

        (await CheckAsync()).Description.ShouldBe("dead letters cannot be stored: InvalidOperationException.");
    }

    [Fact]
    public async Task A_check_has_the_name_tags_and_failure_status_that_were_given()
    {
        _chain = new(services: s => s.AddSingleton<IDeadLetterStore>(_store.DeadLetters).AddHealthChecks()
            .AddHttpResilience("integrations", HealthStatus.Degraded, ["ready"]).AddHttpResilience().AddHttpResilience("integrations"));
        _store.Fails = new HttpResilienceStorageException("gone");
        var health = _chain.Services.GetRequiredService<HealthCheckService>();

        var report = await health.CheckHealthAsync(Stop);

        report.Entries.Select(e => (e.Key, e.Value.Status)).ShouldBe(
            [("integrations", HealthStatus.Degraded), ("http-resilience", HealthStatus.Unhealthy)], ignoreOrder: true);
        (await health.CheckHealthAsync(c => c.Tags.Contains("ready"), Stop)).Entries.Keys.ShouldBe(["integrations"]);
    }

    [Fact]
    public async Task A_health_check_added_twice_is_registered_once_and_reports_no_missing_store()
    {
        _chain = new(services: s =>
        {
            s.AddHealthChecks().AddHttpResilience();
            s.AddHealthChecks().AddHttpResilience();
        });

        var report = await _chain.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Stop);

        report.Entries.ShouldHaveSingleItem().Value.Data.ContainsKey("storage").ShouldBeFalse();
    }

    public void Dispose() => _chain?.Dispose();

    private Chain Open(Action<HttpResilienceOptions>? options = null)
    {
        _chain = PausedCallTests.PausingChain(
            options, s => s.AddSingleton<IDeadLetterStore>(_store.DeadLetters).AddHealthChecks().AddHttpResilience());
        _chain.Clock.SkipsWaits = false;
        return _chain;
    }

    private async Task<HealthReportEntry> CheckAsync() =>
        (await _chain!.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Stop)).Entries["http-resilience"];

    /// <summary>A store that fails or never responds.</summary>
    private sealed class DeadStore(Exception? failure) : IDeadLetterStore
    {
        public Task ProbeAsync(CancellationToken cancellationToken) =>
            failure is not null ? Task.FromException(failure) : new TaskCompletionSource().Task;

        public Task<DeadLetterCounts> CountAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> AddAsync(DeadLetter letter, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<DeadLetter?> FindAsync(Guid id, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyList<DeadLetter>> ClaimAsync(DeadLetterClaim claim, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<bool> UpdateAsync(DeadLetter letter, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> CommitAsync(LetterCommit commit, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<DeadLetterSearch> SearchAsync(DeadLetterQuery query, int atMost, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<int> PurgeAsync(
            DeadLetterQuery query, DateTimeOffset before, OperatorActivity? activity, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<SettledLetters> CountSettledAsync(
            DeadLetterQuery query, DateTimeOffset before, int atMost, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<bool> KeepsByDefaultAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<string>> MissingKeysAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<int> ReleaseAsync(string keyId, DateTimeOffset dueAt, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyList<DeadLetterGroup>> GroupsAsync(DeadLetterQuery query, int limit, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyList<DeadLetterBacklog>> BacklogAsync(CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task WaitForLettersAsync(TimeSpan atMost, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
