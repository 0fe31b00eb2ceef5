using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Operations.Alerts;

/// <summary>The delivery of alerts to sinks that work, are slow, or fail.</summary>
public sealed class AlertOutboxTests : IDisposable
{
    private static readonly AlertOutboxRules FewTries =
        new("sink", 5, static e => e is FormatException, static (_, _) => Task.FromResult(false));

    private readonly ManualTimeProvider _clock = new();
    private readonly LogCollector _logs = new();
    private AlertOutbox? _outbox;

    [Fact]
    public async Task Alerts_arrive_in_order()
    {
        var sink = new Sink();
        Open(sink);

        for (int i = 1; i <= 10; i++)
            _ = _outbox!.Add(An(i));

        (await sink.TakeAsync(10)).ShouldBe(Enumerable.Range(1, 10));
    }

    [Fact]
    public async Task A_failing_alert_is_retried_after_1_2_4_and_8_seconds_and_logged_once()
    {
        var sink = new Sink { Fails = _ => new InvalidOperationException("no\nnetwork") };
        Open(sink);
        _ = _outbox!.Add(An(1));
        foreach (int pause in new[] { 1, 2, 4, 8 })
        {
            await _clock.TimerDueInAsync(TimeSpan.FromSeconds(pause));
            _clock.Advance(TimeSpan.FromSeconds(pause));
        }

        await EventuallyAsync(() => sink.Tries.Count == 5);
        sink.Fails = _ => null;
        _ = _outbox.Add(An(2));
        (await sink.TakeAsync(1)).ShouldBe([2]);
        sink.Tries.ShouldBe([1, 1, 1, 1, 1, 2]);
        await EventuallyAsync(() => _logs.WithId(708).Count == 1);
        _logs.WithId(704).Select(e => (e.Level, e.Message)).ShouldBe(
        [
            (LogLevel.Warning, "Alerts do not get to sink: InvalidOperationException: no network; it is tried again"),
            (LogLevel.Warning, "Alerts do not get to sink: InvalidOperationException: no network; it is given up"),
        ]);
    }

    [Fact]
    public async Task An_alert_that_the_receiver_rejects_permanently_is_dropped_at_once()
    {
        var sink = new Sink { Fails = a => a.Count == 1 ? new FormatException("bad") : null };
        Open(sink);
        _ = _outbox!.Add(An(1));
        _ = _outbox.Add(An(2));

        (await sink.TakeAsync(1)).ShouldBe([2]);
        sink.Tries.ShouldBe([1, 2]);
    }

    [Fact]
    public async Task A_blocking_sink_delays_neither_the_next_evaluation_nor_the_shutdown_of_the_host()
    {
        using var released = new ManualResetEventSlim();
        Open(new Sink { Fails = _ => { released.Wait(TimeSpan.FromSeconds(30)); return null; } });
        _ = _outbox!.Add(An(1));
        await _clock.TimerDueInAsync(TimeSpan.FromMinutes(1));

        await _outbox.StopAsync(new CancellationToken(canceled: true))
            .WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        released.Set();
        _logs.WithId(709).ShouldHaveSingleItem()["Count"].ShouldBe(1);
    }

    [Fact]
    public async Task A_hanging_sink_that_ignores_cancellation_is_abandoned_after_a_minute_and_retried()
    {
        var sink = new Sink { Hangs = true };
        Open(sink);
        _ = _outbox!.Add(An(1));
        await _clock.TimerDueInAsync(TimeSpan.FromMinutes(1));
        sink.Hangs = false;
        _clock.Advance(TimeSpan.FromMinutes(1));
        await _clock.TimerDueInAsync(TimeSpan.FromSeconds(1));
        _clock.Advance(TimeSpan.FromSeconds(1));

        (await sink.TakeAsync(1)).ShouldBe([1]);
    }

    [Fact]
    public async Task The_oldest_alert_is_dropped_when_too_many_wait()
    {
        var sink = new Sink { Hangs = true };
        Open(sink);
        _ = _outbox!.Add(An(0));
        await _clock.TimerDueInAsync(TimeSpan.FromMinutes(1));
        for (int i = 1; i <= AlertOutbox.Capacity + 2; i++)
            _ = _outbox.Add(An(i));
        sink.Hangs = false;
        _clock.Advance(TimeSpan.FromMinutes(1));
        await _clock.TimerDueInAsync(TimeSpan.FromSeconds(1));
        _clock.Advance(TimeSpan.FromSeconds(1));

        (await sink.TakeAsync(AlertOutbox.Capacity + 1)).ShouldBe([0, .. Enumerable.Range(3, AlertOutbox.Capacity)]);
        _logs.WithId(705).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_stopping_host_delivers_alerts_in_flight_and_logs_the_rest()
    {
        var sink = new Sink();
        Open(sink);
        _ = _outbox!.Add(An(1));
        await _outbox.StopAsync(TestContext.Current.CancellationToken);
        sink.Tries.ShouldBe([1]);

        Open(new Sink { Hangs = true });
        _ = _outbox.Add(An(1));
        await _clock.TimerDueInAsync(TimeSpan.FromMinutes(1));
        _ = _outbox.Add(An(2));
        _ = _outbox.Add(An(3));
        await _outbox.StopAsync(new CancellationToken(canceled: true));
        _logs.WithId(709).ShouldHaveSingleItem()["Count"].ShouldBe(3);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Alerts_left_at_shutdown_are_stored_where_a_store_exists(bool fails)
    {
        IReadOnlyList<Alert> kept = [];
        Open(new Sink { Hangs = true }, FewTries with
        {
            KeepAsync = (alerts, _) =>
            {
                kept = alerts;
                return fails ? Task.FromException<bool>(new HttpResilienceStorageException("disk full")) : Task.FromResult(true);
            },
        });
        _ = _outbox!.Add(An(1));
        await _clock.TimerDueInAsync(TimeSpan.FromMinutes(1));
        _ = _outbox.Add(An(2));
        await _outbox.StopAsync(new CancellationToken(canceled: true));

        kept.Select(a => a.Count).ShouldBe([1, 2]);
        _logs.WithId(fails ? 709 : 712).ShouldHaveSingleItem()["Count"].ShouldBe(2);
        _logs.WithId(fails ? 712 : 709).ShouldBeEmpty();
    }

    public void Dispose() => _outbox?.Dispose();

    private static async Task EventuallyAsync(Func<bool> isSo)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isSo())
            await Task.Delay(5, limit.Token);
    }

    private void Open(Sink sink, AlertOutboxRules? rules = null) =>
        _outbox = new(sink, rules ?? FewTries, _clock, _logs.CreateLogger("test"));

    internal static Alert An(int number) => new()
    {
        Id = Guid.NewGuid(),
        Rule = AlertRuleType.DeadLetters,
        Rules = [AlertRuleType.DeadLetters],
        Phase = AlertPhase.Started,
        Severity = AlertSeverity.Warning,
        Title = "title",
        Detail = "detail",
        StartedAt = ManualTimeProvider.DefaultStart,
        At = ManualTimeProvider.DefaultStart,
        Count = number,
    };

    private sealed class Sink : IAlertSink
    {
        private readonly System.Threading.Channels.Channel<int> _taken = System.Threading.Channels.Channel.CreateUnbounded<int>();

        internal List<int> Tries { get; } = [];

        internal Func<Alert, Exception?> Fails { get; set; } = _ => null;

        internal bool Hangs { get; set; }

        public Task SendAsync(Alert alert, CancellationToken cancellationToken)
        {
            Tries.Add(alert.Count);
            if (Hangs)
                return new TaskCompletionSource().Task;
            if (Fails(alert) is { } failure)
                throw failure;
            _taken.Writer.TryWrite(alert.Count);
            return Task.CompletedTask;
        }

        internal async Task<IReadOnlyList<int>> TakeAsync(int count)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            var taken = new List<int>();
            while (taken.Count < count)
                taken.Add(await _taken.Reader.ReadAsync(limit.Token));
            return taken;
        }
    }
}
