using System.Collections.Concurrent;
using System.Diagnostics;

namespace HttpResilience.Tests.Clients;

/// <summary>
/// Threads that ask for their turn, leave, report, give back, isolate and close at the same time: every wait ends, and no place, ticket or
/// timer is left.
/// </summary>
public sealed class CircuitQueueRaceTests
{
    private const int Threads = 16;
    private const int Rounds = 8;
    private const int CallsPerThread = 60;

    // Breaks and waits of milliseconds, so that all of it happens all the time.
    private static readonly CircuitBreakerOptions Options = new()
    {
        FailureThreshold = 3,
        FailureDuration = TimeSpan.Zero,
        FailureRatio = null,
        BreakDuration = TimeSpan.FromMilliseconds(1),
        MaxBreakDuration = TimeSpan.FromMilliseconds(4),
        MaxWait = TimeSpan.FromMilliseconds(30),
        MaxWaiting = 5,
    };

    private static readonly CircuitPolicy Policy = CircuitPolicy.From(Options, TimeProvider.System.TimestampFrequency)!;

    [Fact]
    public async Task Whatever_happens_at_once_every_call_ends_and_nothing_is_left()
    {
        int seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var counts = new ConcurrentDictionary<string, int>();
        for (int round = 0; round < Rounds; round++)
        {
            var key = new HostKey(new HttpAuthority(new Uri("http://host")), null);
            HostState[] hosts = [new(key), new(key with { Tenant = "t" })];
            await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Factory.StartNew(
                () => CallAsync(hosts, new(seed + (round * Threads) + thread), counts), CancellationToken.None,
                TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));

            hosts[0].Places.Taken.ShouldBe(0);
            foreach (var host in hosts)
            {
                host.Queue.ShouldBe(host.Queue is { IsEmpty: true } queue ? queue : null);
                if (host.Circuit.State is not CircuitState.HalfOpen)
                    continue;
                // Of all probes none is left over, or this one would be rejected.
                counts.AddOrUpdate("half-open at the end", 1, static (_, n) => n + 1);
                host.Circuit.Enter(Policy, Stopwatch.GetTimestamp()).IsAllowed.ShouldBeTrue();
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", counts.OrderBy(c => c.Key).Select(c => $"{c.Key} {c.Value}")));
        foreach (string what in new[] { "at once", "rejected", "probe that waited", "released", "refused", "left", "left with its turn" })
            counts.GetValueOrDefault(what).ShouldBeGreaterThan(0, what);
    }

    private static async Task CallAsync(HostState[] hosts, Random random, ConcurrentDictionary<string, int> counts)
    {
        void Count(string what) => counts.AddOrUpdate(what, 1, static (_, n) => n + 1);
        for (int call = 0; call < CallsPerThread; call++)
        {
            var host = hosts[random.Next(2)];
            int ticket = host.TicketAtOnce;
            if (ticket == CircuitMachine.NoTicket)
                ticket = await TurnAsync(host, hosts[0].Places, random, Count);
            else
                Count("at once");
            if (ticket == CircuitMachine.NoTicket)
                continue;

            long startedAt = Stopwatch.GetTimestamp();
            if (random.Next(8) == 0)
                Thread.SpinWait(random.Next(2_000));
            if (random.Next(10) == 0)
                host.Queue?.GiveBack(Policy, ticket);
            else
                Report(host, ticket, startedAt, random);
            if (random.Next(300) == 0)
            {
                if (random.Next(3) == 0)
                    host.Circuit.Isolate(Stopwatch.GetTimestamp());
                else
                    host.Circuit.Close(Stopwatch.GetTimestamp());
                host.AdvanceQueue();
            }

            if (host.Circuit.State is CircuitState.Isolated && random.Next(20) == 0)
            {
                host.Circuit.Close(Stopwatch.GetTimestamp());
                host.AdvanceQueue();
            }
        }
    }

    private static async Task<int> TurnAsync(HostState host, CircuitPlaces places, Random random, Action<string> count)
    {
        var queue = host.Queue ?? host.AddQueue(places, TimeProvider.System);
        long latest = random.Next(4) == 0 ? Stopwatch.GetTimestamp() + random.Next(20_000_000) : long.MaxValue;
        var turn = queue.Join(Policy, latest, Policy.MaxWait!.Value, Policy.MaxWait.Value, isLast: false);
        if (turn.Waiter is not { } waiter)
        {
            count(turn.Ticket == CircuitMachine.NoTicket ? "rejected" : "at once");
            return turn.Ticket;
        }

        try
        {
            // Of a wait without its end, the end of the test tells.
            var limit = random.Next(4) == 0 ? TimeSpan.FromMilliseconds(random.Next(3)) : TimeSpan.FromMinutes(1);
            await waiter.Turn.WaitAsync(limit);
        }
        catch (TimeoutException)
        {
            queue.Leave(waiter);
            count(waiter.Ticket == CircuitMachine.NoTicket ? "left" : "left with its turn");
            return CircuitMachine.NoTicket;
        }

        // Its caller cancels between the turn and the attempt.
        if (random.Next(16) == 0 && waiter.Ticket != CircuitMachine.NoTicket)
        {
            queue.Leave(waiter);
            count("left with its turn");
            return CircuitMachine.NoTicket;
        }

        count(waiter.Ticket == CircuitMachine.NoTicket ? "refused"
            : CircuitMachine.IsProbe(waiter.Ticket) ? "probe that waited" : "released");
        return waiter.Ticket;
    }

    private static void Report(HostState host, int ticket, long startedAt, Random random)
    {
        var outcome = random.Next(20) == 0 ? CircuitOutcome.Neutral : random.Next(3) > 0 ? CircuitOutcome.Failure : CircuitOutcome.Success;
        var transition = host.Circuit.Report(Policy, ticket, outcome, startedAt, 0, Stopwatch.GetTimestamp());
        if (transition is not null || CircuitMachine.IsProbe(ticket))
            host.AdvanceQueue();
    }
}
