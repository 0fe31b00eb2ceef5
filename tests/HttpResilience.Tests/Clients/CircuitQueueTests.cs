using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using HttpResilience.Tests.CircuitBreaker;

namespace HttpResilience.Tests.Clients;

/// <summary>The calls that wait for a circuit.</summary>
public sealed class CircuitQueueTests
{
    private static readonly CircuitPolicy Policy = CircuitPolicy.From(new() { MaxWaiting = 20_000 }, CircuitPolicies.Frequency)!;

    private readonly QueueClock _clock = new(CircuitPolicies.Frequency);
    private readonly CircuitMachine _circuit = new();
    private readonly CircuitPlaces _places = new();
    private readonly CircuitQueue _queue;

    public CircuitQueueTests()
    {
        _queue = new(_circuit, _places, _clock);
        Trip(_circuit, _clock.Now);
    }

    [Fact]
    public void The_turn_of_a_probe_that_has_left_goes_to_the_next()
    {
        var (first, second) = (Join(), Join());
        _clock.Advance(1_000);
        CircuitMachine.IsProbe(first.Ticket).ShouldBeTrue();
        second.Turn.IsCompleted.ShouldBeFalse();

        _queue.Leave(first);

        second.Turn.IsCompleted.ShouldBeTrue();
        CircuitMachine.IsProbe(second.Ticket).ShouldBeTrue();
        _places.Taken.ShouldBe(0);
    }

    [Fact]
    public void The_turn_of_a_probe_that_is_not_sent_goes_to_the_next()
    {
        var (first, second) = (Join(), Join());
        _clock.Advance(1_000);

        _queue.GiveBack(Policy, first.Ticket);

        CircuitMachine.IsProbe(second.Ticket).ShouldBeTrue();
    }

    [Fact]
    public void A_call_that_is_sent_the_last_time_is_no_probe_as_long_as_another_one_waits()
    {
        var last = _queue.Join(Policy, long.MaxValue, 5_000, 50_000, isLast: true).Waiter!;
        var second = Join();
        _clock.Advance(1_000);

        CircuitMachine.IsProbe(second.Ticket).ShouldBeTrue();
        last.Turn.IsCompleted.ShouldBeFalse();
        var transition = _circuit.Report(Policy, second.Ticket, CircuitOutcome.Success, _clock.Now, 0, _clock.Now);
        transition!.To.ShouldBe(CircuitState.Closed);
        _queue.Advance();
        last.Turn.IsCompleted.ShouldBeTrue();
        CircuitMachine.IsProbe(last.Ticket).ShouldBeFalse();
    }

    [Theory, InlineData(1), InlineData(40)]
    public void When_all_that_wait_are_sent_the_last_time_the_first_one_is_the_probe(int count)
    {
        CircuitWaiter[] waiting =
            [.. Enumerable.Range(0, count).Select(_ => _queue.Join(Policy, long.MaxValue, 5_000, 50_000, isLast: true).Waiter!)];
        _clock.Advance(1_000);

        waiting.Select(w => CircuitMachine.IsProbe(w.Ticket)).ShouldBe([true, .. Enumerable.Repeat(false, count - 1)]);
    }

    [Fact]
    public void Of_a_probe_without_an_answer_another_one_follows_each_second()
    {
        CircuitWaiter[] waiting = [Join(), Join(), Join()];
        for (int probes = 1; probes <= 3; probes++)
        {
            _clock.Advance(999);
            waiting.Count(w => w.Turn.IsCompleted).ShouldBe(probes - 1);
            _clock.Advance(1);
            waiting.Count(w => w.Turn.IsCompleted).ShouldBe(probes);
        }

        waiting.ShouldAllBe(w => CircuitMachine.IsProbe(w.Ticket));
    }

    [Fact]
    public void After_a_stop_of_the_process_the_turns_that_were_missed_are_not_made_up_for()
    {
        CircuitWaiter[] waiting = [.. Enumerable.Range(0, 40).Select(_ => Join())];
        _circuit.Close(_clock.Now);
        _queue.Advance();
        int before = waiting.Count(w => w.Turn.IsCompleted);

        // Without a measured pace they are released as fast as they have come, here one each tick.
        _clock.Advance(4_000);

        before.ShouldBe(1);
        (waiting.Count(w => w.Turn.IsCompleted) - before).ShouldBeLessThanOrEqualTo(101);
        waiting.ShouldAllBe(w => w.Ticket == waiting[0].Ticket || w.Ticket == CircuitMachine.NoTicket);
    }

    [Fact]
    public void A_ticket_of_a_period_that_has_ended_counts_for_nothing()
    {
        var (first, second) = (Join(), Join());
        _clock.Advance(1_000);
        _circuit.Report(Policy, first.Ticket, CircuitOutcome.Failure, _clock.Now, 0, _clock.Now)!.To.ShouldBe(CircuitState.Open);
        _queue.Advance();

        _queue.GiveBack(Policy, first.Ticket);
        _circuit.Report(Policy, first.Ticket, CircuitOutcome.Success, _clock.Now, 0, _clock.Now).ShouldBeNull();

        _circuit.State.ShouldBe(CircuitState.Open);
        second.Turn.IsCompleted.ShouldBeFalse();
        _clock.Advance(1_000);
        CircuitMachine.IsProbe(second.Ticket).ShouldBeTrue();
    }

    [Fact]
    public void The_change_of_the_circuit_comes_with_the_turn_that_has_caused_it()
    {
        var (first, second) = (Join(), Join());
        _clock.Advance(1_000);

        first.Transition.ShouldBe(new CircuitTransition(CircuitState.HalfOpen, 0));
        second.Transition.ShouldBeNull();
    }

    [Fact]
    public void The_timer_does_not_carry_the_context_of_the_call_that_came_first()
    {
        var time = new ContextSpy();
        var circuit = new CircuitMachine();
        Trip(circuit, time.GetTimestamp());

        new CircuitQueue(circuit, _places, time).Join(Policy, long.MaxValue, 5_000, 5_000, isLast: false).Waiter.ShouldNotBeNull();

        time.FlowIsSuppressed.ShouldBe([true]);
    }

    [Fact]
    public void A_timer_that_fires_early_is_set_again()
    {
        var waiting = Join();
        _clock.FireEarly();
        waiting.Turn.IsCompleted.ShouldBeFalse();

        _clock.Advance(1_000);

        waiting.Turn.IsCompleted.ShouldBeTrue();
    }

    [Fact]
    public void The_queue_does_not_keep_those_that_have_left()
    {
        var waiting = Join();
        WeakReference[] left = [.. Enumerable.Range(0, 500).Select(_ => JoinAndLeave())];

        GC.Collect();

        left.Count(l => l.IsAlive).ShouldBeLessThan(30);
        waiting.Turn.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_queue_is_collected_with_its_host()
    {
        var host = await UsedHostAsync();
        // Else the stack still has it.
        await Task.Yield();

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        host.IsAlive.ShouldBeFalse();
    }

    [Fact]
    public void Ten_thousand_wait_and_are_released_in_their_order()
    {
        const int Calls = 10_000;
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        long startedAt = Stopwatch.GetTimestamp();
        CircuitWaiter[] waiting = [.. Enumerable.Range(0, Calls).Select(_ => Join())];
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        var joined = Stopwatch.GetElapsedTime(startedAt);
        _places.Taken.ShouldBe(Calls);
        _circuit.Close(_clock.Now);
        _queue.Advance();

        for (int released = 1; !_queue.IsEmpty; released++)
        {
            waiting[released - 1].Turn.IsCompleted.ShouldBeTrue();
            (released == Calls || !waiting[released].Turn.IsCompleted).ShouldBeTrue();
            _clock.Advance(1);
        }

        _places.Taken.ShouldBe(0);
        _clock.Timers.ShouldBe(0);
        double all = Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds;
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{bytes / Calls} bytes and {joined.TotalMicroseconds / Calls:0.00} us for each that waits, {all:0} ms in all"));
        (bytes / Calls).ShouldBeLessThan(500);
    }

    [Fact]
    public void Places_are_never_more_than_there_are()
    {
        var places = new CircuitPlaces();
        int most = 0, taken = 0;
        Parallel.For(0, 100_000, _ =>
        {
            if (!places.TryTake(3))
                return;
            int now = Interlocked.Increment(ref taken);
            most = Math.Max(Volatile.Read(ref most), now);
            Interlocked.Decrement(ref taken);
            places.Free();
        });

        most.ShouldBeInRange(1, 3);
        places.Taken.ShouldBe(0);
    }

    private static void Trip(CircuitMachine circuit, long now)
    {
        var policy = Policy with { FailureDuration = null, FailureThreshold = 1 };
        circuit.Report(policy, circuit.Enter(policy, now).Ticket, CircuitOutcome.Failure, now, 0, now).ShouldNotBeNull();
    }

    private CircuitWaiter Join() => _queue.Join(Policy, long.MaxValue, 5_000, 50_000, isLast: false).Waiter.ShouldNotBeNull();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference JoinAndLeave()
    {
        var waiter = Join();
        _queue.Leave(waiter);
        return new(waiter);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> UsedHostAsync()
    {
        var host = new HostState(new(new HttpAuthority(new Uri("http://host")), null));
        var policy = CircuitPolicy.From(
            new() { FailureThreshold = 1, FailureDuration = null, BreakDuration = TimeSpan.FromMilliseconds(100) },
            TimeProvider.System.TimestampFrequency)!;
        long now = TimeProvider.System.GetTimestamp();
        host.Circuit.Report(policy, host.Circuit.Enter(policy, now).Ticket, CircuitOutcome.Failure, now, 0, now);
        var turn = host.AddQueue(host.Places, TimeProvider.System).Join(policy, long.MaxValue, policy.MaxWait!.Value, 0, isLast: false);
        await (turn.Waiter?.Turn ?? Task.CompletedTask);
        return new(host);
    }

    private sealed class ContextSpy : TimeProvider
    {
        internal List<bool> FlowIsSuppressed { get; } = [];

        public override long TimestampFrequency => CircuitPolicies.Frequency;

        public override long GetTimestamp() => 1_000;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            FlowIsSuppressed.Add(ExecutionContext.IsFlowSuppressed());
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }
}
