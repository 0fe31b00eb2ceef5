using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Operations.Alerts;

/// <summary>Several processes of an application that observe one problem and share a store.</summary>
public sealed class IncidentSharingTests : IDisposable
{
    private static readonly IncidentKey Calls = new(AlertTopic.Calls, "orders", "https://api.test");
    private static readonly TimeSpan CoolDown = TimeSpan.FromHours(1);
    private static readonly string[] RequiredOfAlert = ["title", "detail", "rules", "values"];

    private readonly ManualTimeProvider _clock = new();
    private readonly TestStorage _storage = new();
    private readonly List<TestProcess> _processes = [];

    [Fact]
    public async Task One_problem_that_three_processes_observe_is_one_alert_and_one_end()
    {
        var (a, b, c) = (Start(), Start(), Start());
        foreach (var process in _processes)
            process.Begin();
        await LookAllAsync();
        _clock.Advance(TimeSpan.FromMinutes(3));
        await LookAllAsync();
        Sent.ShouldBe(["Started 1"]);

        a.End();
        b.End();
        await LookAllAsync();
        Sent.ShouldBe(["Started 1"]);
        c.End();
        await LookAllAsync();
        await LookAllAsync();

        Sent.ShouldBe(["Started 1", "Ended 2"]);
        AllSent.Select(s => s.Id).Distinct().Count().ShouldBe(1);
        AllSent[1].Detail.ShouldBe("It is over after 3 min. Rules that held: ConsecutiveFailures");
    }

    [Fact]
    public async Task Twenty_processes_at_once_send_one_alert_and_one_end()
    {
        for (int i = 0; i < 20; i++)
            Start();
        foreach (bool begins in new[] { true, false })
        {
            _processes.ForEach(p => _ = begins ? p.Begin() : p.End());
            await Task.WhenAll(_processes.Select(p => Task.Run(() => p.LookAsync(), Stop)));
            await LookAllAsync();
        }

        Sent.ShouldBe(["Started 1", "Ended 2"]);
    }

    [Fact]
    public async Task A_reminder_is_sent_by_one_process_after_the_cool_down()
    {
        var (a, b) = (Start(), Start());
        a.Begin();
        await LookAllAsync();
        _clock.Advance(TimeSpan.FromSeconds(30));
        b.Begin();
        await LookAllAsync();
        for (int i = 0; i < 12; i++)
        {
            _clock.Advance(TimeSpan.FromMinutes(5));
            a.Goes();
            b.Goes();
            await LookAllAsync();
        }

        a.Remind();
        await LookAllAsync();
        b.Remind();
        await LookAllAsync();

        Sent.ShouldBe(["Started 1", "Reminder 2"]);
        // The other process goes on when the first one has ended.
        _processes.Remove(a);
        for (int i = 0; i < 12; i++)
        {
            _clock.Advance(TimeSpan.FromMinutes(5));
            b.Goes();
            await LookAllAsync();
        }

        b.Remind();
        await LookAllAsync();
        b.Sink.Sent.Select(Show).ShouldBe(["Reminder 3"]);
    }

    [Fact]
    public async Task A_problem_that_becomes_more_severe_in_another_process_is_sent_at_once()
    {
        var (a, b) = (Start(), Start());
        a.Begin();
        b.Begin();
        await LookAllAsync();

        b.Raise();
        await LookAllAsync();

        AllSent.Select(s => (Show(s), s.Severity)).ShouldBe([("Started 1", AlertSeverity.Warning), ("Reminder 2", AlertSeverity.Critical)]);
        AllSent[1].Rules.ShouldBe([AlertRuleType.ConsecutiveFailures, AlertRuleType.IntegrationPaused]);
    }

    [Fact]
    public async Task An_alert_of_a_process_that_ends_before_it_is_sent_is_sent_by_another_one_under_the_same_id_and_count()
    {
        var (a, b) = (Start(), Start());
        a.Sink.Hangs = true;
        a.Begin();
        await a.LookAsync(delivers: false);
        await EventuallyAsync(() => a.Sink.Tried.Count == 1);
        await b.LookAsync();
        _clock.Advance(SharedIncidentRules.LeaseLength - TimeSpan.FromSeconds(1));
        await b.LookAsync();
        b.Sink.Sent.ShouldBeEmpty();

        // Process a has ended.
        _clock.Advance(TimeSpan.FromSeconds(1));
        await b.LookAsync();

        b.Sink.Sent.Select(s => (s.Id, s.Count)).ShouldBe([(a.Sink.Tried[0].Id, 1)]);
        b.Logs.WithId(563).ShouldHaveSingleItem();
        // It observed the problem alone, so the incident ends with it.
        await b.LookAsync();
        b.Sink.Sent.Select(Show).ShouldBe(["Started 1", "Ended 2"]);
    }

    [Fact]
    public async Task A_process_that_is_slow_to_send_keeps_its_right_as_long_as_it_lives()
    {
        var (a, b) = (Start(), Start());
        a.Sink.Hangs = true;
        a.Begin();
        b.Begin();
        await a.LookAsync(delivers: false);
        for (int i = 0; i < 30; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
            await a.LookAsync(delivers: false);
            await b.LookAsync();
        }

        b.Sink.Sent.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_process_that_has_died_does_not_hold_an_incident_open()
    {
        var (a, b) = (Start(), Start());
        a.Begin();
        b.Begin();
        await LookAllAsync();
        _processes.Remove(a);
        b.End();

        await b.LookAsync();
        b.Sink.Sent.ShouldBeEmpty();
        _clock.Advance(SharedIncidentRules.SightingTimeout);
        await b.LookAsync();

        b.Sink.Sent.Select(Show).ShouldBe(["Ended 2"]);
    }

    [Fact]
    public async Task An_incident_outlives_the_restart_of_the_only_process_that_observes_it()
    {
        var (a, b) = (Start(), Start());
        a.Begin();
        await LookAllAsync();
        _processes.Remove(a);
        _clock.Advance(TimeSpan.FromSeconds(40));
        var restarted = Start();
        restarted.Begin();
        await LookAllAsync();
        _clock.Advance(TimeSpan.FromSeconds(40));
        await LookAllAsync();

        b.Sink.Sent.ShouldBeEmpty();
        restarted.Sink.Sent.ShouldBeEmpty();
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task An_outage_whose_end_comes_while_the_store_fails_is_one_alert_and_one_end(bool storeHangs)
    {
        var (a, b) = (Start(), Start());
        a.Begin();
        b.Begin();
        await LookAllAsync();
        _storage.Fails = new HttpResilienceStorageException("stopped");
        _storage.Hangs = storeHangs;
        b.End();
        await LookAllAsync();
        a.End();
        // A look at a store that hangs takes ten seconds.
        if (!storeHangs)
        {
            await LookAllAsync();
            Sent.ShouldBe(["Started 1"]);
        }

        await PassAsync(TimeSpan.FromSeconds(40));
        Sent.ShouldBe(["Started 1", "Ended 2"]);
        _clock.Advance(TimeSpan.FromMinutes(10));
        await LookAllAsync();

        (_storage.Fails, _storage.Hangs) = (null, false);
        // The other process comes first, and does not know that the end was sent.
        await b.LookAsync();
        await LookAllAsync();
        _clock.Advance(TimeSpan.FromMinutes(10));
        await LookAllAsync();

        Sent.ShouldBe(["Started 1", "Ended 2"]);
        a.Logs.WithId(561).ShouldHaveSingleItem();
        a.Logs.WithId(562).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task An_outage_that_goes_on_while_the_store_fails_is_one_alert_and_one_end()
    {
        var (a, b) = (Start(), Start());
        a.Begin();
        b.Begin();
        await LookAllAsync();
        _storage.Fails = new HttpResilienceStorageException("stopped");
        for (int i = 0; i < 30; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
            await LookAllAsync();
        }

        _storage.Fails = null;
        await LookAllAsync();
        a.End();
        b.End();
        await LookAllAsync();

        Sent.ShouldBe(["Started 1", "Ended 2"]);
    }

    [Fact]
    public async Task An_outage_that_begins_while_the_store_fails_is_sent_from_memory_and_each_alert_ends()
    {
        var (a, b) = (Start(), Start());
        _storage.Fails = new HttpResilienceStorageException("stopped");
        a.Begin();
        b.Begin();
        await LookAllAsync();
        Sent.ShouldBeEmpty();
        await PassAsync(TimeSpan.FromSeconds(40));
        Sent.ShouldBe(["Started 1", "Started 1"]);
        _storage.Fails = null;
        var c = Start();
        c.Begin();
        await LookAllAsync();
        c.Sink.Sent.ShouldBeEmpty();

        _processes.ForEach(p => p.End());
        await LookAllAsync();
        await LookAllAsync();

        AllSent.GroupBy(s => s.Id).ShouldAllBe(g => string.Join(',', g.Select(s => s.Phase)) == "Started,Ended");
        AllSent.Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_store_that_restarts_delays_an_alert_and_does_not_double_it()
    {
        var (a, b) = (Start(), Start());
        _storage.Fails = new HttpResilienceStorageException("restarts");
        a.Begin();
        b.Begin();
        await PassAsync(TimeSpan.FromSeconds(20));
        _storage.Fails = null;
        await PassAsync(TimeSpan.FromSeconds(20));

        Sent.ShouldBe(["Started 1"]);
        a.Logs.WithId(561).ShouldBeEmpty();
        b.Logs.WithId(562).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_failure_of_the_store_itself_is_sent_by_each_process_without_the_store()
    {
        var (a, b) = (Start(), Start());
        _storage.Hangs = true;
        foreach (var process in new[] { a, b })
            process.Sharing.Report(new(AlertTopic.Storage, "orders"), An(AlertPhase.Started), isOpen: true, CoolDown);

        await EventuallyAsync(() => Sent.Length == 2);
        _storage.Hangs = false;
        (await _storage.Storage.Incidents.ListAsync(Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_lost_answer_of_the_store_neither_loses_nor_repeats_the_alert()
    {
        var a = Start();
        (_storage.Fails, _storage.LosesAnswers) = (new HttpResilienceStorageException("cut"), true);
        _storage.FailsOn = nameof(IIncidentStore.SaveAsync);
        a.Begin();
        await a.LookAsync();
        _storage.Fails = null;
        await a.LookAsync();
        await a.LookAsync();
        a.End();
        await a.LookAsync();

        Sent.ShouldBe(["Started 1", "Ended 2"]);
    }

    [Theory, InlineData("ErrorBudget", null), InlineData("SpentBudget", null), InlineData("ErrorClass", "ServerError")]
    public async Task A_consequence_is_sent_with_the_outage_that_another_process_observes_and_by_itself_when_it_outlasts_it(
        string topic, string? subject)
    {
        var (a, b) = (Start(), Start());
        // This process has loaded the failures of others.
        var burning = new IncidentKey(Enum.Parse<AlertTopic>(topic), "orders", Subject: subject);
        a.Sharing.Report(burning, An(AlertPhase.Started, at: _clock.GetUtcNow()), isOpen: true, CoolDown);
        a.Sharing.Report(burning with { Client = "order" }, An(AlertPhase.Started, at: _clock.GetUtcNow()), isOpen: true, CoolDown);
        await LookAllAsync();
        Sent.ShouldBeEmpty();
        b.Begin();
        await LookAllAsync();
        await PassAsync(TimeSpan.FromMinutes(2));
        // That of the other client has no cause.
        Sent.ShouldBe(["Started 1", "Started 1"]);
        b.End();
        await LookAllAsync();
        await PassAsync(TimeSpan.FromMinutes(59));
        AllSent.Count.ShouldBe(3);

        await PassAsync(TimeSpan.FromMinutes(1));

        AllSent.Count.ShouldBe(4);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_consequence_of_an_outage_is_not_sent_while_the_store_fails(bool beganBefore)
    {
        var (a, b) = (Start(), Start());
        if (beganBefore)
            b.Begin();
        await LookAllAsync();
        await LookAllAsync();
        _storage.Fails = new HttpResilienceStorageException("stopped");
        if (!beganBefore)
            a.Begin();
        foreach (var process in new[] { a, b })
            process.Sharing.Report(new(AlertTopic.ErrorBudget, "orders"), An(AlertPhase.Started, at: _clock.GetUtcNow()), true, CoolDown);
        await PassAsync(TimeSpan.FromMinutes(3));
        (beganBefore ? b : a).End();
        await PassAsync(TimeSpan.FromMinutes(3));

        (beganBefore ? _processes : [a]).SelectMany(p => p.Sink.Sent).OrderBy(s => s.At).Select(Show).ShouldBe(["Started 1", "Ended 2"]);
    }

    [Fact]
    public async Task A_row_that_cannot_be_read_is_replaced_by_the_next_incident()
    {
        var a = Start();
        a.Begin();
        await a.LookAsync();
        a.End();
        await a.LookAsync();
        var row = (await _storage.Storage.Incidents.ListAsync(Stop)).ShouldHaveSingleItem();
        string[] withNull = [.. RequiredOfAlert.Select(name => row.Alert.Replace($"\"{name}\":", $"\"{name}\":null,\"x\":"))];
        withNull.ShouldAllBe(odd => odd != row.Alert);
        foreach (string odd in (string[])["", "null", "{", "[]", "{\"id\":1}", "{\"phase\":\"Later\"}", .. withNull])
        {
            row = (await _storage.Storage.Incidents.ListAsync(Stop)).ShouldHaveSingleItem();
            (await _storage.Storage.Incidents.SaveAsync(row with { Alert = odd, SentAt = null }, Stop)).ShouldBeTrue();
            _clock.Advance(TimeSpan.FromMinutes(1));
            int before = Sent.Length;
            a.Begin();
            await a.LookAsync();
            a.End();
            await a.LookAsync();
            Sent[before..].ShouldBe(["Started 1", "Ended 2"], odd);
        }
    }

    [Fact]
    public async Task A_row_that_the_store_cannot_read_loses_no_alert()
    {
        var a = Start();
        var store = new OddRowStore();
        a.Begin();
        await a.Sharing.LookAsync(store, Stop);
        await a.Sharing.LookAsync(store, Stop);
        a.End();
        await a.Sharing.LookAsync(store, Stop);

        await EventuallyAsync(() => a.Sink.Sent.Count == 2);
        Sent.ShouldBe(["Started 1", "Ended 2"]);
    }

    [Fact]
    public async Task A_process_that_stops_with_an_alert_that_no_sink_accepted_leaves_it_to_another_one_at_once()
    {
        var (a, b) = (Start(), Start());
        await b.LookAsync();
        a.Sink.Hangs = true;
        await a.Sharing.StartAsync(Stop);
        a.Begin();
        await EventuallyAsync(() => a.Sink.Tried.Count > 0);
        _clock.Advance(SharedIncidentRules.LeaseLength);
        await a.Sinks.StopAsync(new CancellationToken(canceled: true));
        await a.Sharing.StopAsync(Stop);

        await b.LookAsync();

        b.Sink.Sent.Select(Show).ShouldBe(["Started 1"]);
    }

    [Fact]
    public async Task A_process_whose_sinks_have_stopped_takes_no_right_to_send_and_gives_up_the_one_it_has()
    {
        var (a, b) = (Start(), Start());
        await b.LookAsync();
        _clock.Advance(SharedIncidentRules.LeaseLength);
        a.Sink.Hangs = true;
        a.Begin();
        await a.LookAsync(delivers: false);
        await EventuallyAsync(() => a.Sink.Tried.Count > 0);
        await a.Sinks.StopAsync(new CancellationToken(canceled: true));
        await a.Sharing.Deliveries;

        await a.LookAsync(delivers: false);
        await a.Sharing.StopAsync(Stop);
        await b.LookAsync();

        a.Logs.WithId(701).ShouldHaveSingleItem();
        b.Sink.Sent.Select(Show).ShouldBe(["Started 1"]);
    }

    [Fact]
    public async Task An_alert_that_is_accepted_while_the_process_stops_is_not_sent_by_another_one()
    {
        var (a, b) = (Start(), Start());
        await b.LookAsync();
        _clock.Advance(SharedIncidentRules.LeaseLength);
        a.Sink.Hangs = true;
        await a.Sharing.StartAsync(Stop);
        a.Begin();
        await EventuallyAsync(() => a.Sink.Tried.Count > 0);

        var stopping = a.Sharing.StopAsync(Stop);
        await Task.WhenAny(stopping, Task.Delay(200, Stop));
        a.Sink.Hangs = false;
        await stopping;
        await b.LookAsync();

        b.Sink.Sent.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_sink_that_fails_for_long_delays_the_end_for_the_others_by_a_minute_at_most()
    {
        var a = Start(new TestSink { Hangs = true });
        a.Begin();
        await a.LookAsync(delivers: false);
        await EventuallyAsync(() => a.Sink.Sent.Count == 1);
        a.End();
        await a.LookAsync(delivers: false);
        Sent.ShouldBe(["Started 1"]);

        await _clock.TimerDueInAsync(TimeSpan.FromMinutes(1));
        _clock.Advance(TimeSpan.FromMinutes(1));
        await a.Sharing.Deliveries.WaitAsync(TimeSpan.FromSeconds(30), Stop);
        await a.LookAsync(delivers: false);
        await EventuallyAsync(() => a.Sink.Sent.Count == 2);

        Sent.ShouldBe(["Started 1", "Ended 2"]);
    }

    public void Dispose() => _processes.ForEach(p => p.Dispose());

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private List<Alert> AllSent => [.. _all.SelectMany(p => p.Sink.Sent).OrderBy(s => s.At).ThenBy(s => s.Count)];

    private string[] Sent => [.. AllSent.Select(Show)];

    private readonly List<TestProcess> _all = [];

    private static string Show(Alert alert) => $"{alert.Phase} {alert.Count}";

    private TestProcess Start(params TestSink[] others)
    {
        var process = new TestProcess(_storage, _clock, others);
        _processes.Add(process);
        _all.Add(process);
        return process;
    }

    private async Task LookAllAsync()
    {
        foreach (var process in _processes.ToList())
        {
            await process.LookAsync();
            // What was sent is stored.
            await process.LookAsync();
        }
    }

    /// <summary>Lets time pass; the processes look every 20 s.</summary>
    private async Task PassAsync(TimeSpan time)
    {
        for (var end = _clock.GetUtcNow() + time; _clock.GetUtcNow() < end;)
        {
            _clock.Advance(TimeSpan.FromSeconds(20));
            await LookAllAsync();
        }
    }

    private static async Task EventuallyAsync(Func<bool> isSo)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isSo())
            await Task.Delay(5, limit.Token);
    }

    private static Alert An(AlertPhase phase, Guid? id = null, DateTimeOffset? at = null) => AlertOutboxTests.An(1) with
    {
        Id = id ?? Guid.NewGuid(),
        Phase = phase,
        Rule = AlertRuleType.ConsecutiveFailures,
        Rules = [AlertRuleType.ConsecutiveFailures],
        StartedAt = at ?? ManualTimeProvider.DefaultStart,
        At = at ?? ManualTimeProvider.DefaultStart,
    };

    private sealed class TestProcess : IDisposable
    {
        private readonly TestStorage _storage;
        private readonly ManualTimeProvider _clock;
        private Alert? _last;

        internal TestProcess(TestStorage storage, ManualTimeProvider clock, TestSink[] others)
        {
            (_storage, _clock) = (storage, clock);
            Sinks = new(new ServiceCollection().BuildServiceProvider(), [Sink, .. others], clock, Logs.CreateLogger("sinks"));
            Sinks.Use(new(new AlertOptions()));
            var settings = new AlertSettings(
                new OptionsFactory<AlertOptions>([], []), configuration: null, new AlertQueue(clock), Logs.CreateLogger("settings"));
            Sharing = new(storage.Storage.Incidents, settings, Sinks, new(clock), clock, Logs.CreateLogger("watch"));
        }

        internal AlertSinks Sinks { get; }

        internal IncidentSharing Sharing { get; }

        internal TestSink Sink { get; } = new();

        internal LogCollector Logs { get; } = new();

        internal TestProcess Begin() => Report(_last = An(AlertPhase.Started, at: _clock.GetUtcNow()), isOpen: true);

        internal TestProcess Goes() => Report(null, isOpen: true);

        internal TestProcess Remind() => Report(_last! with { Phase = AlertPhase.Reminder, At = _clock.GetUtcNow() }, isOpen: true);

        internal TestProcess Raise() => Report(_last! with
        {
            Phase = AlertPhase.Reminder,
            Severity = AlertSeverity.Critical,
            Rules = [AlertRuleType.ConsecutiveFailures, AlertRuleType.IntegrationPaused],
            At = _clock.GetUtcNow(),
        }, isOpen: true);

        internal TestProcess End() => Report(_last! with { Phase = AlertPhase.Ended, At = _clock.GetUtcNow() }, isOpen: false);

        internal async Task LookAsync(bool delivers = true)
        {
            var looking = Sharing.LookAsync(_storage.Storage.Incidents, Stop);
            if (_storage.Hangs)
            {
                await _clock.TimerDueInAsync(TimeSpan.FromSeconds(10));
                _clock.Advance(TimeSpan.FromSeconds(10));
            }

            await looking.WaitAsync(TimeSpan.FromSeconds(30), Stop);
            if (!delivers)
                return;
            await Sharing.Deliveries.WaitAsync(TimeSpan.FromSeconds(30), Stop);
            await EventuallyAsync(() => Sink.Tried.Count == Logs.Entries.Count(e => e.Id.Id is 701 or 702 or 703));
        }

        public void Dispose()
        {
            Sinks.Dispose();
            Sharing.Dispose();
        }

        private TestProcess Report(Alert? alert, bool isOpen)
        {
            Sharing.Report(Calls, alert, isOpen, CoolDown);
            return this;
        }
    }

    /// <summary>A store with a row that it leaves out of the list.</summary>
    private sealed class OddRowStore : IIncidentStore
    {
        public Task<IReadOnlyList<StorageIncident>> ListAsync(CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<StorageIncident>>([]);

        public Task<bool> SaveAsync(StorageIncident incident, CancellationToken cancellationToken) => Task.FromResult(false);

        public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => Task.FromResult(0);
    }

    private sealed class TestSink : IAlertSink
    {
        private readonly Lock _gate = new();
        private readonly List<Alert> _tried = [];
        private readonly List<Alert> _sent = [];

        internal bool Hangs { get; set; }

        internal IReadOnlyList<Alert> Tried
        {
            get
            {
                lock (_gate)
                    return [.. _tried];
            }
        }

        internal IReadOnlyList<Alert> Sent
        {
            get
            {
                lock (_gate)
                    return [.. _sent];
            }
        }

        public async Task SendAsync(Alert alert, CancellationToken cancellationToken)
        {
            lock (_gate)
                _tried.Add(alert);
            while (Hangs)
                await Task.Delay(5, cancellationToken);
            lock (_gate)
                _sent.Add(alert);
        }
    }
}
