using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Operations.ErrorBudgets;

/// <summary>The state that outlives a process and reaches others.</summary>
public sealed class ErrorBudgetKeeperTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly TestStorage _store = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Counts_are_saved_every_10_seconds_and_at_shutdown_and_continued_by_the_next_run()
    {
        using (var first = await StartAsync())
        {
            await PausedCallTests.FailAsync(first.Chain, 3);
            await first.TickAsync();
            _store.Counts.ShouldBe([new("api", first.Version, Period(first), FailureClass.Transient, 3)]);
            await first.TickAsync();
            _store.Updates.Count.ShouldBe(1);
            first.Chain.Server.Script(Replies.Status(200));
            (await first.Chain.GetAsync()).Dispose();
            first.Chain.Clock.Advance(TimeSpan.FromSeconds(1));
            await first.StopAsync();
        }

        using var second = await StartAsync();
        second.Chain.Clock.Advance(TimeSpan.FromMinutes(3));
        second.Budget.Read(TimeSpan.FromHours(1), second.Now).ShouldBe(new(4, 3));
        second.Budget.ClassTotals.Values.Sum().ShouldBe(0);
        second.Budget.Baseline.ShouldBeNull();
        await PausedCallTests.FailAsync(second.Chain, 1);
        second.Budget.Read(TimeSpan.FromDays(30), second.Now).ShouldBe(new(5, 4));
        await second.StopAsync();
        _store.Counts.Sum(c => c.Calls).ShouldBe(5);

        static DateTimeOffset Period(Run run) =>
            run.Chain.Clock.Start - TimeSpan.FromSeconds(run.Chain.Clock.Start.ToUnixTimeSeconds() % 300);
    }

    [Fact]
    public async Task An_unavailable_store_delays_no_call_is_logged_once_and_gets_all_counts_when_it_is_back()
    {
        _store.Fails = new HttpResilienceStorageException("gone");
        using var run = await StartAsync();
        await PausedCallTests.FailAsync(run.Chain, 2);
        await run.TickAsync();
        await run.TickAsync();
        var warning = run.Chain.Logs.WithId(606).ShouldHaveSingleItem();
        (warning.Level, warning.Exception).ShouldBe((LogLevel.Warning, _store.Fails));

        _store.Fails = null;
        await run.TickAsync();
        run.Chain.Logs.WithId(607).Count.ShouldBe(1);
        _store.Counts.Sum(c => c.Calls).ShouldBe(2);

        // A failed update may have been stored.
        (_store.Fails, _store.LosesAnswers) = (new HttpResilienceStorageException("cut"), true);
        await PausedCallTests.FailAsync(run.Chain, 1);
        await run.TickAsync();
        await run.Chain.Services.GetServices<IHostedService>().OfType<ErrorBudgetKeeper>().Single().StopAsync(Stop);
        run.Chain.Logs.WithId(608).Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_update_with_an_unknown_result_is_repeated_unchanged()
    {
        using var run = await StartAsync();
        await PausedCallTests.FailAsync(run.Chain, 1);
        var keeper = new ErrorBudgetKeeper(_store.ErrorBudgets, letters: null,
            run.Chain.Services.GetRequiredService<ErrorBudgetObserver>(), new Deployment(new Lazy<string>("1.0")), run.Chain.Clock,
            run.Chain.Logs.CreateLogger(ErrorBudgetKeeper.LogCategory));
        await run.StopAsync();
        _store.ForgetOperations();
        long before = _store.Counts.Sum(c => c.Calls);
        await keeper.StartAsync(Stop);
        await run.Chain.Clock.TimerDueInAsync(Interval);
        await PausedCallTests.FailAsync(run.Chain, 1);
        (_store.Fails, _store.FailsOn, _store.LosesAnswers) = (
            new HttpResilienceStorageException("cut"), nameof(IErrorBudgetStore.AddAsync), true);
        await run.TickAsync();
        _store.Fails = null;
        await PausedCallTests.FailAsync(run.Chain, 1);
        await run.TickAsync();
        await keeper.StopAsync(Stop);

        _store.Updates.Select(u => u.Sequence).ShouldBe([1, 1, 2]);
        _store.Counts.Sum(c => c.Calls).ShouldBe(before + 2);
    }

    [Fact]
    public async Task A_pause_reaches_another_process_and_outlives_both()
    {
        using var first = await StartAsync();
        using var second = await StartAsync();
        await PausedCallTests.FailAsync(first.Chain, 5);
        await first.TickAsync();
        await second.TickAsync();
        second.Budget.IsPaused.ShouldBeTrue();
        await second.Chain.Services.GetRequiredService<IErrorBudgets>().PauseAsync("api", "Ann", Stop);
        await first.TickAsync();
        first.Budget.Pause.Change!.By.ShouldBe("Ann");

        using var third = await StartAsync();
        third.Budget.IsPaused.ShouldBeTrue();
        third.Chain.Clock.Advance(TimeSpan.FromMinutes(5));
        await third.Chain.Services.GetRequiredService<IErrorBudgets>().ResumeAsync("api", "Bob", Stop);
        await first.TickAsync();
        await second.TickAsync();

        (first.Budget.IsPaused, second.Budget.IsPaused).ShouldBe((false, false));
        await PausedCallTests.FailAsync(first.Chain, 4);
        first.Budget.IsPaused.ShouldBeFalse();
    }

    [Fact]
    public async Task A_pause_by_a_person_is_written_down_once_when_it_is_saved_between_its_decision_and_its_commit()
    {
        using var run = await StartAsync(s => s.AddSingleton(_store.DeadLetters));
        int commits = 0;
        _store.Before(nameof(IDeadLetterStore.CommitAsync), () => ++commits == 1 ? run.TickAsync() : Task.CompletedTask);

        await run.Chain.Services.GetRequiredService<IErrorBudgets>().PauseAsync("api", "Ann", "double invoices", Stop);

        commits.ShouldBe(2);
        (await WrittenDownAsync()).ShouldBe([("Pause", "Ann", "double invoices")]);
    }

    [Fact]
    public async Task A_pause_by_a_person_while_the_store_is_unavailable_is_written_down_when_it_is_back()
    {
        using var run = await StartAsync(s => s.AddSingleton(_store.DeadLetters));
        _store.Fails = new HttpResilienceStorageException("gone");
        await Should.ThrowAsync<HttpResilienceStorageException>(
            () => run.Chain.Services.GetRequiredService<IErrorBudgets>().PauseAsync("api", "Ann", "double invoices", Stop));
        run.Budget.IsPaused.ShouldBeTrue();

        _store.Fails = null;
        await run.TickAsync();
        await run.TickAsync();

        (await WrittenDownAsync()).ShouldBe([("Pause", "Ann", "double invoices")]);
    }

    [Fact]
    public async Task A_pause_by_a_person_whose_commit_lost_its_answer_is_written_down_once()
    {
        using var run = await StartAsync(s => s.AddSingleton(_store.DeadLetters));
        (_store.Fails, _store.LosesAnswers) = (new HttpResilienceStorageException("cut"), true);
        await Should.ThrowAsync<HttpResilienceStorageException>(
            () => run.Chain.Services.GetRequiredService<IErrorBudgets>().PauseAsync("api", "Ann", "double invoices", Stop));

        _store.Fails = null;
        await run.Chain.Services.GetRequiredService<IErrorBudgets>().PauseAsync("api", "Bob", "me too", Stop);
        await run.TickAsync();

        (await WrittenDownAsync()).ShouldBe([("Pause", "Ann", "double invoices")]);
    }

    [Fact]
    public async Task A_resume_of_a_client_that_is_not_paused_is_not_written_down()
    {
        using var run = await StartAsync(s => s.AddSingleton(_store.DeadLetters));
        await run.Chain.Services.GetRequiredService<IErrorBudgets>().ResumeAsync("api", "Bob", Stop);
        await run.TickAsync();

        (await WrittenDownAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_pause_by_a_person_that_outlasts_the_change_of_another_process_is_written_down_once()
    {
        using var run = await StartAsync(s => s.AddSingleton(_store.DeadLetters));
        await run.Chain.Services.GetRequiredService<IErrorBudgets>().PauseAsync("api", "Ann", "double invoices", Stop);
        // The probes of another process resume it.
        var later = run.Budget.Pause.Change!.At.AddSeconds(1);
        await _store.ErrorBudgets.SetPauseAsync(new("api", IsPaused: false, By: null, later), Stop);
        await run.TickAsync();
        await run.TickAsync();

        _store.PauseOf("api").ShouldNotBeNull().ShouldSatisfyAllConditions(
            p => p.By.ShouldBe("Ann"), p => p.IsPaused.ShouldBeTrue(), p => p.At.ShouldBeGreaterThan(later));
        (await WrittenDownAsync()).ShouldBe([("Pause", "Ann", "double invoices")]);
    }

    [Fact]
    public async Task A_pause_whose_time_was_moved_before_it_was_stored_is_written_down()
    {
        using var run = await StartAsync(s => s.AddSingleton(_store.DeadLetters));
        (_store.Fails, _store.FailsOn) = (new HttpResilienceStorageException("gone"), nameof(IDeadLetterStore.CommitAsync));
        await Should.ThrowAsync<HttpResilienceStorageException>(
            () => run.Chain.Services.GetRequiredService<IErrorBudgets>().PauseAsync("api", "Ann", "double invoices", Stop));
        await _store.ErrorBudgets.SetPauseAsync(
            new("api", IsPaused: true, By: null, run.Budget.Pause.Change!.At.AddSeconds(1)), Stop);
        await run.TickAsync();
        _store.Fails = null;
        await run.TickAsync();

        (await WrittenDownAsync()).ShouldBe([("Pause", "Ann", "double invoices")]);
    }

    [Fact]
    public async Task A_pause_by_the_budget_is_not_written_down_as_what_a_person_did()
    {
        using var run = await StartAsync(s => s.AddSingleton(_store.DeadLetters));
        await PausedCallTests.FailAsync(run.Chain, 5);
        await run.TickAsync();

        _store.PauseOf("api").ShouldNotBeNull().IsPaused.ShouldBeTrue();
        (await WrittenDownAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_process_started_after_a_resume_is_not_paused_by_earlier_failures()
    {
        using var clock = new Chain();
        var resumedAt = clock.Clock.Start - TimeSpan.FromMinutes(14);
        await _store.ErrorBudgets.SetPauseAsync(new("api", IsPaused: false, "Bob", resumedAt), Stop);
        _store.Put(new("api", "1.0", resumedAt - TimeSpan.FromMinutes(5), FailureClass.Transient, 1000),
            new("api", "1.0", resumedAt + TimeSpan.FromMinutes(5), FailureClass.Transient, 3));
        using var run = await StartAsync();
        run.Budget.Read(TimeSpan.FromHours(1), run.Now).ShouldBe(new(1003, 1003));

        await PausedCallTests.FailAsync(run.Chain, 1);
        run.Budget.IsPaused.ShouldBeFalse();
        await PausedCallTests.FailAsync(run.Chain, 1);
        run.Budget.IsPaused.ShouldBeTrue();
    }

    [Fact]
    public async Task Counts_of_other_versions_are_kept_separate_and_logged_when_the_host_starts()
    {
        await _store.ErrorBudgets.StartedAsync("0.9", new(2029, 12, 1, 0, 0, 0, TimeSpan.Zero), Stop);
        using var earlier = await StartAsync();
        var start = earlier.Chain.Clock.Start;
        _store.Put(new("api", "0.9", start.AddHours(-2), FailureClass.None, 900),
            new("api", "0.9", start.AddHours(-2), FailureClass.ServerError, 7),
            new("api", "0.8", start.AddHours(-50), FailureClass.ServerError, 1),
                new("api", earlier.Version, start.AddHours(-1), FailureClass.ServerError, 100));

        using var run = await StartAsync();

        var baseline = run.Budget.Baseline.ShouldNotBeNull();
        (baseline[FailureClass.None], baseline[FailureClass.ServerError], baseline[FailureClass.Transient]).ShouldBe((900, 8, 0));
        run.Budget.Read(TimeSpan.FromDays(30), run.Now).ShouldBe(new(1008, 108));
        var told = run.Chain.Logs.WithId(609).ShouldHaveSingleItem();
        (told.Level, told.Message).ShouldBe(
            (LogLevel.Information, $"Deployment: version {run.Version} since 2030-01-02 03:04:05Z, "
                + "before it 0.9 since 2029-12-01 00:00:00Z"));
    }

    [Fact]
    public async Task A_client_that_appears_later_is_loaded_at_once()
    {
        using var run = await StartAsync(services => services.AddResilientHttpClient("crm"));
        _store.Put(new ErrorBudgetCount("crm", "1.0", run.Chain.Clock.Start.AddMinutes(-30), FailureClass.Transient, 9));

        var crm = run.Chain.Services.GetRequiredKeyedService<Client>("crm").Get<ErrorBudget>()!;

        while (crm.Read(TimeSpan.FromHours(1), run.Now).Calls == 0)
            await Task.Yield();
        _store.Loads.ShouldBe(["api", "crm"]);
    }

    [Fact]
    public async Task A_client_that_appears_while_another_is_loaded_does_not_count_its_own_calls_twice()
    {
        ErrorBudget? crm = null;
        IServiceProvider? services = null;
        _store.Before(nameof(IErrorBudgetStore.LoadAsync), () =>
        {
            if (_store.Loads[^1] != "api")
                return;
            crm = services!.GetRequiredKeyedService<Client>("crm").Get<ErrorBudget>()!;
            crm.Count(FailureClass.Transient, isFailure: true, services!.GetRequiredService<TimeProvider>().GetTimestamp());
        });
        using var run = await StartAsync(s => s.AddResilientHttpClient("crm"), s => services = s);

        while (_store.Loads.Count < 2 || _store.Counts.Count == 0)
            await Task.Yield();
        crm!.Read(TimeSpan.FromHours(1), run.Now).ShouldBe(new(1, 1));
    }

    [Fact]
    public async Task A_host_without_a_store_logs_the_version_and_runs_no_keeper()
    {
        using var chain = PausedCallTests.PausingChain();
        var keeper = chain.Services.GetServices<IHostedService>().OfType<ErrorBudgetKeeper>().Single();
        await keeper.StartAsync(Stop);
        await keeper.ExecuteTask!;
        await keeper.StopAsync(Stop);
        chain.Budget.TakeUnsaved("1").ShouldBeEmpty();
        chain.Logs.WithId(610).ShouldHaveSingleItem()["Version"].ShouldBe(chain.Services.GetRequiredService<Deployment>().Version);
    }

    [Fact]
    public async Task A_stored_pause_applies_before_the_host_has_started()
    {
        await _store.ErrorBudgets.SetPauseAsync(new("api", IsPaused: true, "operator", DateTimeOffset.UnixEpoch), Stop);
        using var chain = PausedCallTests.PausingChain(services: s => s.AddSingleton<IErrorBudgetStore>(_store.ErrorBudgets));
        var budget = chain.Budget;
        // The keeper fails before anything else, so only the values read at the start are known.
        (_store.Fails, _store.FailsOn) = (new HttpResilienceStorageException("gone"), nameof(IErrorBudgetStore.LoadAsync));
        using var keeper = chain.Services.GetServices<IHostedService>().OfType<ErrorBudgetKeeper>().Single();

        await keeper.StartAsync(Stop);

        budget.IsPaused.ShouldBeTrue();
        await keeper.StopAsync(Stop);
    }

    [Fact]
    public void A_resume_by_another_process_restarts_the_evaluation_of_a_client_that_was_not_paused()
    {
        using var chain = PausedCallTests.PausingChain();
        var (budget, clock) = (chain.Budget, chain.Clock);
        for (int i = 0; i < 4; i++)
            budget.Count(FailureClass.Transient, isFailure: true, clock.GetTimestamp());

        budget.Adopt(new("api", IsPaused: false, "operator", clock.GetUtcNow()));
        budget.Count(FailureClass.Transient, isFailure: true, clock.GetTimestamp());

        budget.IsPaused.ShouldBeFalse();
    }

    [Fact]
    public async Task The_first_version_on_a_store_is_logged_once()
    {
        using var run = await StartAsync();
        await run.TickAsync();

        var told = run.Chain.Logs.WithId(610).ShouldHaveSingleItem();
        (told.Level, told["Version"]).ShouldBe((LogLevel.Information, run.Version));
        run.Chain.Logs.WithId(609).ShouldBeEmpty();
    }

    private async Task<IEnumerable<(string, string, string?)>> WrittenDownAsync() =>
        (await _store.Storage.Activity.ListAsync(null, 10, Stop)).Select(a => (a.Action, a.By, a.Notes));

    private async Task<Run> StartAsync(Action<IServiceCollection>? services = null, Action<IServiceProvider>? built = null)
    {
        var chain = PausedCallTests.PausingChain(services: s =>
        {
            s.AddSingleton<IErrorBudgetStore>(_store.ErrorBudgets);
            services?.Invoke(s);
        });
        built?.Invoke(chain.Services);
        _ = chain.State;
        var run = new Run(chain);
        await run.Keeper.StartAsync(Stop);
        await chain.Clock.TimerDueInAsync(Interval);
        return run;
    }

    private sealed record Run(Chain Chain) : IDisposable
    {
        public ErrorBudgetKeeper Keeper { get; } = Chain.Services.GetServices<IHostedService>().OfType<ErrorBudgetKeeper>().Single();

        public ErrorBudget Budget => Chain.Budget;

        public string Version => Chain.Services.GetRequiredService<Deployment>().Version;

        public long Now => Chain.Clock.GetTimestamp();

        public async Task TickAsync()
        {
            Chain.Clock.Advance(Interval);
            await Chain.Clock.TimerDueInAsync(Interval);
        }

        public Task StopAsync() => Keeper.StopAsync(Stop);

        public void Dispose()
        {
            Keeper.Dispose();
            Chain.Dispose();
        }
    }
}
