using System.Collections.Concurrent;

namespace HttpResilience.Tests.Clients;

/// <summary>Threads that ask for a place, leave and end at the same time: every wait ends, and no place is left or given twice.</summary>
public sealed class ConcurrencyGateRaceTests
{
    private const int Threads = 16;
    private const int Rounds = 10;
    private const int AttemptsPerThread = 400;

    private static readonly ConcurrencyPolicy Policy = new(1, 6, TimeProvider.System.TimestampFrequency);

    [Fact]
    public async Task Whatever_happens_at_once_every_attempt_ends_and_no_place_is_left()
    {
        int seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var counts = new ConcurrentDictionary<string, int>();
        for (int round = 0; round < Rounds; round++)
        {
            var gate = new ConcurrencyGate(TimeProvider.System);
            int inside = 0;
            await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Factory.StartNew(
                () => AttemptsAsync(gate, new(seed + (round * Threads) + thread), counts, by => Interlocked.Add(ref inside, by)),
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));

            (gate.Waiting, gate.InFlight, inside).ShouldBe((0, 0, 0));
            gate.Limit.ShouldBeInRange(Policy.MinLimit, Policy.MaxLimit);
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", counts.OrderBy(c => c.Key).Select(c => $"{c.Key} {c.Value}")));
        foreach (string what in new[] { "at once", "admitted", "rejected", "left" })
            counts.GetValueOrDefault(what).ShouldBeGreaterThan(0, what);
    }

    private static async Task AttemptsAsync(
        ConcurrencyGate gate, Random random, ConcurrentDictionary<string, int> counts, Func<int, int> move)
    {
        void Count(string what) => counts.AddOrUpdate(what, 1, static (_, n) => n + 1);
        for (int attempt = 0; attempt < AttemptsPerThread; attempt++)
        {
            long now = TimeProvider.System.GetTimestamp();
            var turn = gate.Enter(Policy, random.Next(20) == 0 ? now : long.MaxValue);
            if (turn.IsRejected)
            {
                Count("rejected");
                continue;
            }

            int number = turn.Number;
            if (turn.Waiter is { } waiter)
            {
                try
                {
                    // Of a wait without its end, the end of the test tells.
                    await waiter.Turn.WaitAsync(random.Next(4) == 0 ? TimeSpan.FromTicks(random.Next(500)) : TimeSpan.FromMinutes(1));
                }
                catch (TimeoutException)
                {
                    gate.Leave(Policy, waiter);
                    Count("left");
                    continue;
                }

                number = waiter.Number;
                Count("admitted");
            }
            else
            {
                Count("at once");
            }

            // The limit may have fallen since others were let in, but was never above its maximum.
            move(1).ShouldBeLessThanOrEqualTo(Policy.MaxLimit);
            Thread.SpinWait(random.Next(500));
            move(-1);
            gate.Exit(
                Policy, number, random.Next(1, 1_000), random.Next(15) == 0 ? LoadSign.Overloaded : (LoadSign)random.Next(2));
        }
    }
}
