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
        var chain = Open(o => (o.CircuitBreaker.FailureThreshold, o.Retry.MaxRetryAttempts, o.CircuitBreaker.BreakDuration) =
            (1, 0, TimeSpan.FromSeconds(30)));
        if (isolated)
            chain.Services.GetRequiredService<ICircuits>().Isolate("api", new("https://api.test"));
        else
            await PausedCallTests.FailAsync(chain, 1);

        var entry = await CheckAsync();

        (entry.Status, entry.Description).ShouldBe((HealthStatus.Degraded, $"Api: the circuit of https://api.test is {state}."));
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
            .ShouldBe((HealthStatus.Degraded, "Api: the circuits of 1 tenants of https://api.test are not closed."));
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
            e => e.Description.ShouldBe("Api burns its error budget too fast."));

        await PausedCallTests.FailAsync(chain, 15);

        (await CheckAsync()).ShouldSatisfyAllConditions(e => e.Status.ShouldBe(HealthStatus.Degraded),
            e => e.Description.ShouldBe("Api has used up 210 % of its error budget."));
    }

    [Fact]
    public async Task A_paused_integration_is_unhealthy()
    {
        var chain = Open();
        await chain.Services.GetRequiredService<IErrorBudgets>().PauseAsync("api", "Ann", Stop);

        var entry = await CheckAsync();

        (entry.Status, entry.Description).ShouldBe((HealthStatus.Unhealthy, "Api is paused since 2030-01-02 03:04:05Z."));
        entry.Data["api"].ShouldBeOfType<Dictionary<string, object>>()["pausedSince"].ShouldBe(chain.Clock.Start);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_store_that_fails_or_does_not_answer_in_5_seconds_is_unhealthy(bool hangs)
    {
        var chain = Open();
        Exception failure = new HttpResilienceStorageException("gone");
        var check = new ResilienceHealthCheck(chain.Services.GetRequiredService<IResilientClients>(),
            new DeadStore(hangs ? null : failure), review: null, chain.Clock);

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
            .ShouldBe((HealthStatus.Unhealthy, "The durable store does not answer.", "unreachable"));
        if (hangs)
            result.Exception.ShouldBeOfType<TimeoutException>();
        else
            result.Exception.ShouldBe(failure);
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
        public Task<DeadLetterCounts> CountAsync(CancellationToken cancellationToken) =>
            failure is not null ? Task.FromException<DeadLetterCounts>(failure) : new TaskCompletionSource<DeadLetterCounts>().Task;

        public Task<bool> AddAsync(DeadLetter letter, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<DeadLetter?> FindAsync(Guid id, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyList<DeadLetter>> ClaimAsync(DeadLetterClaim claim, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<bool> UpdateAsync(DeadLetter letter, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> ReplaceAsync(DeadLetter old, DeadLetter replacement, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<int> PurgeAsync(DeadLetterQuery query, DateTimeOffset before, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<bool> KeepsByDefaultAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<string>> MissingKeysAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<int> ReleaseAsync(string keyId, DateTimeOffset dueAt, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyList<DeadLetterBacklog>> BacklogAsync(CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task WaitForLettersAsync(TimeSpan atMost, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
