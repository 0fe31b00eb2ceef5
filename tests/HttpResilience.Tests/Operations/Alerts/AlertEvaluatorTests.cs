using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Operations.Alerts;

/// <summary>From calls to notifications, with the default rules.</summary>
public sealed class AlertEvaluatorTests
{
    private const string Host = "https://api.test";

    [Fact]
    public async Task One_failure_in_an_hour_is_silent()
    {
        using var bench = new AlertBench();
        for (int hour = 0; hour < 24; hour++)
        {
            await bench.CallAsync(200, 500, 200);
            bench.Wait(TimeSpan.FromHours(1));
        }

        bench.Told.ShouldBeEmpty();
    }

    [Fact]
    public async Task Five_failures_in_five_minutes_are_one_alert_and_not_five()
    {
        using var bench = new AlertBench();
        for (int i = 0; i < 5; i++)
        {
            await bench.CallAsync(200, 500, 200);
            bench.Wait(TimeSpan.FromMinutes(1));
        }

        var told = bench.Told.ShouldHaveSingleItem();
        (told.Level, told["Title"], told["ClientName"], told["Authority"], told["Rule"])
            .ShouldBe((LogLevel.Warning, $"api: calls to {Host} fail", "api", Host, AlertRuleType.FailuresInWindow));
        bench.Wait(TimeSpan.FromMinutes(5));
        bench.Phases.ShouldBe("+-");
    }

    [Fact]
    public async Task A_long_outage_is_one_alert_with_reminders_one_all_clear_and_one_alert_for_its_budget()
    {
        using var bench = new AlertBench(o => (o.CircuitBreaker.BreakDuration, o.Retry.MaxRetryAttempts) = (TimeSpan.FromSeconds(30), 3));
        for (int minute = 0; minute < 150; minute++)
        {
            await bench.CallAsync(0, 503, 500);
            bench.Wait(TimeSpan.FromMinutes(1));
        }

        // The burn of the budget is more severe after ten minutes.
        (bench.PhasesOf(budget: false), bench.PhasesOf(budget: true)).ShouldBe(("+!!", "+!!"));
        bench.Told.Where(AlertBench.IsOfBudget).ShouldAllBe(t => t.Level == LogLevel.Error);
        // Longer than the longest break of the circuit.
        bench.Wait(TimeSpan.FromMinutes(6));
        await bench.CallAsync(200, 200);
        bench.Wait(TimeSpan.FromMinutes(10));
        bench.PhasesOf(budget: false).ShouldBe("+!!-");
        var end = bench.Told.Single(t => t.Id.Id == 703 && !AlertBench.IsOfBudget(t));
        end.Level.ShouldBe(LogLevel.Information);
        end.Message.ShouldContain("CircuitOpened, ");
    }

    [Fact]
    public async Task Five_failures_in_a_row_alert_at_the_fifth_and_not_again_at_the_tenth()
    {
        using var bench = new AlertBench(alerts: a => a.Rules = [new() { Type = AlertRuleType.ConsecutiveFailures }]);

        await bench.CallAsync(401, 401, 401, 401);
        bench.Phases.ShouldBe("");
        await bench.CallAsync(401);
        bench.Phases.ShouldBe("+");
        await bench.CallAsync(401, 401, 401, 401, 401);
        bench.Phases.ShouldBe("+");
        await bench.CallAsync(200);
        bench.Phases.ShouldBe("+-");
    }

    [Fact]
    public async Task One_failing_tenant_of_ten_is_one_alert_that_names_it()
    {
        using var bench = new AlertBench(o => (o.CircuitBreaker.BreakDuration, o.Retry.MaxRetryAttempts) = (TimeSpan.FromSeconds(30), 3));
        for (int round = 0; round < 20; round++)
        {
            for (int tenant = 1; tenant <= 10; tenant++)
                await bench.CallForAsync($"comp{tenant}", tenant == 3 ? 500 : 200);
            bench.Wait(TimeSpan.FromSeconds(20));
        }

        var told = bench.Told.ShouldHaveSingleItem();
        (told["Tenant"], told["Title"]).ShouldBe(("comp3", $"api: calls of tenant comp3 to {Host} fail"));
        bench.Wait(TimeSpan.FromMinutes(10));
        await bench.CallForAsync("comp3", 200);
        bench.Wait(TimeSpan.FromMinutes(10));
        bench.Phases.ShouldBe("+-");
    }

    [Fact]
    public async Task Ten_failing_tenants_are_one_alert_about_the_host()
    {
        using var bench = new AlertBench(o => (o.CircuitBreaker.BreakDuration, o.Retry.MaxRetryAttempts) = (TimeSpan.FromSeconds(30), 3));
        for (int round = 0; round < 30; round++)
        {
            for (int tenant = 1; tenant <= 10; tenant++)
                await bench.CallForAsync($"comp{tenant}", 503);
            bench.Wait(TimeSpan.FromSeconds(20));
        }

        bench.Told.ShouldHaveSingleItem()["Tenant"].ShouldBeNull();
    }

    [Fact]
    public async Task Calls_rejected_by_the_open_circuit_of_a_tenant_are_failures_of_the_tenant()
    {
        using var bench = new AlertBench(o => (o.CircuitBreaker.BreakDuration, o.Retry.MaxRetryAttempts) = (TimeSpan.FromMinutes(5), 3));
        for (int i = 0; i < 5; i++)
            await bench.CallForAsync("only", 500);

        bench.Chain.Server.Requests.Count.ShouldBe(5);
        bench.Told.ShouldHaveSingleItem()["Tenant"].ShouldBe("only");
    }

    [Fact]
    public async Task A_tenant_with_revoked_credentials_is_named_when_only_that_rule_holds()
    {
        using var bench = new AlertBench(alerts: a => a.Rules = [new() { Type = AlertRuleType.TenantFailing }]);
        for (int i = 0; i < 4; i++)
        {
            await bench.CallForAsync("bad", 401);
            await bench.CallForAsync("good", 200);
            await bench.CallForAsync("fine", 200);
        }

        bench.Told.ShouldBeEmpty();
        await bench.CallForAsync("bad", 401);
        bench.Told.ShouldHaveSingleItem()["Tenant"].ShouldBe("bad");
        await bench.CallForAsync("bad", 200);
        bench.Phases.ShouldBe("+-");
    }

    [Fact]
    public async Task A_slow_burn_of_the_budget_alerts_although_no_call_rule_holds()
    {
        using var bench = new AlertBench();
        // One call in ten fails, twice in half an hour: never five in a row or in five minutes.
        for (int i = 0; i < 12; i++)
        {
            await bench.CallAsync(200, 200, 200, 200, 500, 200, 200, 200, 200, 200);
            bench.Wait(TimeSpan.FromMinutes(15));
        }

        // The first alert comes after an hour with five failures, the second after another hour.
        bench.Phases.ShouldBe("+!");
        (bench.Told[0]["Title"], bench.Told[0]["Rule"]).ShouldBe(("api: the error budget burns too fast", AlertRuleType.ErrorBudgetBurn));
        for (int i = 0; i < 70; i++)
        {
            await bench.CallAsync([.. Enumerable.Repeat(200, 20)]);
            bench.Wait(TimeSpan.FromMinutes(30));
        }

        // The alert for a spent budget starts after a day without a further burn.
        bench.Phases.ShouldBe("+!!-+");
        (bench.Told[^1]["Title"], bench.Told[^1]["Rule"], bench.Told[^1].Level)
            .ShouldBe(("api: the error budget is spent", AlertRuleType.ErrorBudgetSpent, LogLevel.Warning));
    }

    [Fact]
    public async Task A_failure_class_that_appears_with_a_version_alerts_with_that_version()
    {
        var store = new InMemoryStorage().ErrorBudgets;
        using var bench = new AlertBench(
            services: s => s.AddSingleton<IErrorBudgetStore>(store), alerts: a =>
                (a.DeploymentVersion, a.Rules) = ("2.0", [new() { Type = AlertRuleType.ErrorClassSinceDeployment }]));
        bench.Chain.Budget.Load([new(Chain.Name, "1.9", bench.Clock.Start.AddHours(-1), FailureClass.None, 990),
            new(Chain.Name, "1.9", bench.Clock.Start.AddHours(-1), FailureClass.Validation, 10)], "2.0");
        await bench.CallAsync([.. Enumerable.Repeat(200, 150), 422, 422, 422, 422]);
        bench.Wait(TimeSpan.FromSeconds(10));
        bench.Told.ShouldBeEmpty();

        await bench.CallAsync(422);
        bench.Wait(TimeSpan.FromSeconds(10));
        (bench.Told.ShouldHaveSingleItem()["Title"], bench.Told[0]["Rule"])
            .ShouldBe(("api: Validation is more frequent since the deployment", AlertRuleType.ErrorClassSinceDeployment));
        await bench.CallAsync([.. Enumerable.Repeat(200, 20)]);
        bench.Wait(TimeSpan.FromSeconds(10));
        bench.Phases.ShouldBe("+-");
    }

    [Fact]
    public async Task A_paused_client_alerts_although_the_outage_already_did()
    {
        using var bench = new AlertBench(o => (o.ErrorBudget.Objective, o.ErrorBudget.PauseAtBurn) = (0.9, 2));
        await bench.CallAsync(500, 500, 500, 500, 500);
        bench.Wait(TimeSpan.FromSeconds(10));

        bench.Told.Select(t => t["Rule"]).ShouldBe([AlertRuleType.ConsecutiveFailures, AlertRuleType.IntegrationPaused]);
        await bench.Chain.Services.GetRequiredService<IErrorBudgets>()
            .ResumeAsync(Chain.Name, "operator", TestContext.Current.CancellationToken);
        bench.Wait(TimeSpan.FromSeconds(10));
        bench.Told[^1].Message.ShouldContain("api is paused");
        bench.Phases.ShouldBe("++-");
    }

    [Fact]
    public async Task Ten_of_many_failing_tenants_alert()
    {
        using var bench = new AlertBench(alerts: a => a.Rules = [new() { Type = AlertRuleType.ConsecutiveFailures, Threshold = 2 }]);
        for (int round = 0; round < 3; round++)
        {
            for (int tenant = 0; tenant < 30; tenant++)
            {
                await bench.CallForAsync($"bad{tenant}", 401);
                await bench.CallForAsync($"good{tenant}", 200);
            }
        }

        bench.Told.Select(t => t["Tenant"]).Distinct().Count().ShouldBe(10);
        bench.Phases.ShouldBe("++++++++++");
    }

    [Fact]
    public async Task A_rule_for_one_client_does_not_apply_to_another()
    {
        using var bench = new AlertBench(alerts: a => a.Rules =
            [new() { Type = AlertRuleType.ConsecutiveFailures, Client = "payments", Threshold = 1 }]);
        await bench.CallAsync(500, 500);
        bench.Told.ShouldBeEmpty();

        using var ours = new AlertBench(alerts: a => a.Rules =
            [new() { Type = AlertRuleType.ConsecutiveFailures, Client = Chain.Name, Threshold = 1, Severity = AlertSeverity.Critical }]);
        await ours.CallAsync(500);
        ours.Told.ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Error);
    }

    [Fact]
    public async Task No_state_is_kept_while_alerts_are_off()
    {
        using var bench = new AlertBench(o => o.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(30), alerts: a => a.Enabled = false);
        await bench.CallAsync(500, 500, 500, 500, 500, 500);

        bench.Told.ShouldBeEmpty();
        bench.Chain.State.Hosts.All.ShouldAllBe(h => h.Get<HostFailureTracker>() == null);
    }

    [Fact]
    public async Task A_lost_dead_letter_alerts_and_the_alert_ends_after_an_hour_without_another()
    {
        var store = new TestStorage { Fails = new HttpResilienceStorageException("disk full") };
        using var bench = new AlertBench(o => (o.DeadLetter.Enabled, o.DeadLetter.Methods) = (true, ["GET"]),
            s => s.AddSingleton<IDeadLetterStore>(store.DeadLetters));
        await bench.CallAsync(500);

        var told = bench.Told.ShouldHaveSingleItem();
        (told.Level, told["Title"]).ShouldBe((LogLevel.Error, "api: requests that failed for good could not be kept"));
        bench.Wait(TimeSpan.FromMinutes(59));
        bench.Phases.ShouldBe("+");
        bench.Wait(TimeSpan.FromMinutes(2));
        bench.Phases.ShouldBe("+-");
    }

    [Fact]
    public async Task Dead_letters_are_counted_every_half_minute_in_processes_without_a_worker_too()
    {
        var store = new TestStorage();
        using var bench = new AlertBench(o => (o.DeadLetter.Enabled, o.DeadLetter.Methods, o.DeadLetter.MaxReplays) = (true, ["GET"], 0),
            s => s.AddSingleton<IDeadLetterStore>(store.DeadLetters),
            a => a.Rules = [new() { Type = AlertRuleType.DeadLetters, Threshold = 2 }]);
        await bench.CallAsync(422, 422);
        bench.Wait(TimeSpan.FromMinutes(1));
        bench.Told.ShouldBeEmpty();

        await bench.CallAsync(422);
        bench.Wait(TimeSpan.FromSeconds(40));
        bench.Told.ShouldHaveSingleItem()["Title"].ShouldBe("Dead letters pile up");
        foreach (var letter in store.Letters.Skip(1))
            await store.DeadLetters.UpdateAsync(letter with { Status = DeadLetterStatus.Resolved }, CancellationToken.None);
        bench.Wait(TimeSpan.FromSeconds(40));
        bench.Phases.ShouldBe("+-");
    }

    [Fact]
    public async Task A_store_that_cannot_count_is_logged_and_ends_no_alert()
    {
        var store = new TestStorage();
        using var bench = new AlertBench(o => (o.DeadLetter.Enabled, o.DeadLetter.Methods) = (true, ["GET"]),
            s => s.AddSingleton<IDeadLetterStore>(store.DeadLetters),
            a => a.Rules = [new() { Type = AlertRuleType.DeadLetters, Threshold = 0 }]);
        await bench.CallAsync(422);
        bench.Wait(TimeSpan.FromSeconds(40));
        (store.Fails, store.FailsOn) = (new HttpResilienceStorageException("gone"), nameof(IDeadLetterStore.CountAsync));
        bench.Wait(TimeSpan.FromMinutes(5));

        bench.Phases.ShouldBe("+");
        bench.Chain.Logs.WithId(711).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_named_batch_that_does_not_finish_alerts_until_it_does()
    {
        using var bench = new AlertBench();
        string name = $"nightly {Guid.NewGuid()}";
        Task RunAsync() => IsolatedBatch.RunAsync([1], (_, _) => Task.CompletedTask,
            new() { Name = name, Services = bench.Chain.Services }, TestContext.Current.CancellationToken);
        for (int i = 0; i < 4; i++)
        {
            await RunAsync();
            bench.Wait(TimeSpan.FromHours(1));
        }

        // A batch that stops early has not finished.
        await IsolatedBatch.RunAsync([1], (_, _) => throw new InvalidOperationException(),
            new() { Name = name, Services = bench.Chain.Services, StopWhen = _ => true }, TestContext.Current.CancellationToken);
        bench.Told.ShouldBeEmpty();
        bench.Wait(TimeSpan.FromMinutes(61));
        bench.Told.ShouldHaveSingleItem()["Title"].ShouldBe($"Batch {name} has not finished");
        await RunAsync();
        bench.Wait(TimeSpan.FromSeconds(10));
        bench.Phases.ShouldBe("+-");
    }

    [Fact]
    public async Task A_rule_removed_by_a_reload_ends_its_alerts()
    {
        using var bench = new AlertBench();
        await bench.CallAsync(500, 500, 500, 500, 500);

        bench.Chain.Configuration["HttpResilience:Alerts:Rules:0:Type"] = "BatchStalled";
        bench.Chain.Configuration.Reload();
        bench.Watch.LookAtList();

        bench.Phases.ShouldBe("+-");
    }

    [Fact]
    public async Task A_host_forgotten_by_the_client_ends_its_alert()
    {
        using var bench = new AlertBench(o => o.CircuitBreaker.MaxCircuits = 1);
        await bench.CallAsync(500, 500, 500, 500, 500);
        bench.Chain.Server.Script(Replies.Status(200));
        (await bench.Chain.SendAsync(async: true, Chain.Get("https://other.test/"))).Dispose();
        bench.Phases.ShouldBe("+");

        bench.Wait(TimeSpan.FromSeconds(10));

        bench.Phases.ShouldBe("+-");
    }

    [Fact]
    public async Task A_failing_tenant_is_kept_longer_than_healthy_ones()
    {
        using var bench = new AlertBench();
        await bench.CallForAsync("bad", 500);
        var signals = bench.Chain.State.Hosts.All.Select(h => h.Get<HostFailureTracker>()).OfType<HostFailureTracker>().Single();
        for (int i = 0; i < HostFailureTracker.MaxTenants + 500; i++)
            signals.Succeed($"t{i}", TimeSpan.FromSeconds(100 + i));

        signals.Read(0, (_, _, tenants) => tenants["bad"].Calls.Length).ShouldBe(1);
    }

    [Fact]
    public async Task A_failure_long_ago_is_not_attributed_to_a_new_version()
    {
        using var bench = new AlertBench(alerts: a => a.Rules = [new() { Type = AlertRuleType.ErrorClassSinceDeployment }]);
        bench.Chain.Budget.Load([new(Chain.Name, "1.9", bench.Clock.Start.AddHours(-1), FailureClass.None, 1000)], "2.0");
        bench.Wait(TimeSpan.FromSeconds(10));
        await bench.CallAsync(422, 422, 422, 422, 422);
        bench.Wait(TimeSpan.FromHours(11));
        bench.Phases.ShouldStartWith("+!");

        bench.Wait(TimeSpan.FromHours(14));
        bench.Phases.ShouldEndWith("-");
    }

    [Fact]
    public async Task A_disposed_host_that_was_never_stopped_is_not_notified_of_batches()
    {
        string name = $"nightly {Guid.NewGuid()}";
        var bench = new AlertBench();
        bench.Watch.Dispose();
        for (int i = 0; i < 4; i++)
        {
            await IsolatedBatch.RunAsync([1], (_, _) => Task.CompletedTask, new() { Name = name, Services = bench.Chain.Services },
                TestContext.Current.CancellationToken);
            bench.Clock.Advance(TimeSpan.FromHours(1));
        }

        bench.Wait(TimeSpan.FromHours(9));
        bench.Told.ShouldBeEmpty();
        bench.Dispose();
    }

    [Fact]
    public async Task Tenants_seen_while_one_fails_are_limited_in_number_and_forgotten()
    {
        using var bench = new AlertBench();
        await bench.CallForAsync("bad", 500);
        var signals = bench.Chain.State.Hosts.All.Select(h => h.Get<HostFailureTracker>()).OfType<HostFailureTracker>().Single();
        int Count() => signals.Read(0, (_, _, tenants) => tenants.Count);
        for (int i = 0; i < HostFailureTracker.MaxTenants + 500; i++)
            signals.Succeed($"t{i}", TimeSpan.FromSeconds(i));

        Count().ShouldBeLessThanOrEqualTo(HostFailureTracker.MaxTenants);
        bench.Wait(TimeSpan.FromMinutes(6));
        Count().ShouldBe(0);
        signals.IsQuiet("t1").ShouldBeTrue();
    }
}
