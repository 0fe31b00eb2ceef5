using HttpResilience.Tests.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace HttpResilience.Tests.Operations.ErrorBudgets;

/// <summary>A month of traffic, its counts and its cost.</summary>
[Collection(Alone.Name)]
public sealed class VirtualTrafficTests
{
    private static readonly TimeSpan[] Windows =
        [TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(1), TimeSpan.FromHours(6), TimeSpan.FromDays(3),
            TimeSpan.FromDays(30)];

    // The length of the buckets of each window.
    private static readonly int[] Buckets = [60, 60, 60, 300, 3600, 21_600];

    [Fact]
    public void The_counts_of_thirty_days_of_traffic_agree_with_a_list_of_all_calls()
    {
        int seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var clock = new ManualTimeProvider();
        var budget = Budget(clock);
        const int Seconds = 30 * 86400;
        // Up to, and excluding, each second.
        int[] calls = new int[Seconds + 1], failures = new int[Seconds + 1];
        double failing = 0.001;
        for (int second = 0; second < Seconds; second++)
        {
            if (second % 1800 == 0)
                failing = random.Next(10) == 0 ? 0.2 : 0.001;
            bool fails = random.NextDouble() < failing;
            int count = random.Next(3);
            for (int i = 0; i < count; i++)
                budget.Count(fails ? FailureClass.ServerError : FailureClass.None, fails, clock.GetTimestamp());
            calls[second + 1] = calls[second] + count;
            failures[second + 1] = failures[second] + (fails ? count : 0);
            clock.Advance(TimeSpan.FromSeconds(1));
            if (second % 997 == 0)
                Compare(second + 1);
        }

        Compare(Seconds);
        budget.ClassTotals[FailureClass.ServerError].ShouldBe(failures[^1]);
        budget.ClassTotals[FailureClass.None].ShouldBe(calls[^1] - failures[^1]);

        void Compare(int elapsed)
        {
            long start = clock.Start.ToUnixTimeSeconds(), now = start + elapsed;
            for (int w = 0; w < Windows.Length; w++)
            {
                // The current bucket and the earlier ones of the window.
                long from = Math.Max(0, ((now / Buckets[w]) - ((long)Windows[w].TotalSeconds / Buckets[w]) + 1) * Buckets[w] - start);
                var expected = new BudgetCount(calls[elapsed] - calls[from], failures[elapsed] - failures[from]);
                budget.Read(Windows[w], clock.GetTimestamp()).ShouldBe(expected, $"{Windows[w]} at {elapsed}");
                budget.BurnRate(Windows[w], clock.GetTimestamp())
                    .ShouldBe(expected.Calls == 0 ? 0 : expected.Failures / (double)expected.Calls / 0.001, tolerance: 1e-6);
            }

            budget.Burn(clock.GetTimestamp()).ShouldBe(budget.BurnRate(TimeSpan.FromDays(30), clock.GetTimestamp()));
        }
    }

    [Fact]
    public void Memory_per_client_is_constant()
    {
        var clock = new ManualTimeProvider();
        _ = Budget(clock, isKept: true);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var budget = Budget(clock, isKept: true);
        long made = GC.GetAllocatedBytesForCurrentThread() - before;

        long atFirst = Traffic(days: 1), later = Traffic(days: 95);

        TestContext.Current.TestOutputHelper?.WriteLine($"{made} bytes when made, {atFirst - later} bytes more or less after 95 days");
        made.ShouldBeLessThan(16 * 1024);
        // Eight bytes for each minute would be more; what other tests have left running is less.
        later.ShouldBeLessThan(atFirst + 1024 * 1024);
        GC.KeepAlive(budget);

        // The store is unavailable all the time.
        long Traffic(int days)
        {
            for (int minute = 0; minute < days * 1440; minute++)
            {
                foreach (var failureClass in CallCounter.Classes)
                    budget.Count(failureClass, isFailure: false, clock.GetTimestamp());
                clock.Advance(TimeSpan.FromMinutes(1));
            }

            // The least of several: what other tests have left to finalize is not the budget's.
            return Enumerable.Range(0, 10).Min(_ =>
            {
                GC.WaitForPendingFinalizers();
                return GC.GetTotalMemory(forceFullCollection: true);
            });
        }
    }

    [Fact]
    public void Counting_a_call_allocates_nothing()
    {
        using var chain = new Chain(services: s => s.AddHttpResilienceOperations());
        using var request = Chain.Get("https://api.test/");
        var call = HttpCall.Open(request, chain.State);
        call.Succeed(AttemptResult.Success(200), call.StartedAt, chain.Clock.GetTimestamp());
        call.End(cancelled: false);
        var client = chain.State;
        for (int i = 0; i < 100; i++)
            client.Observers!.CallEnded(client, call);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100_000; i++)
            client.Observers!.CallEnded(client, call);

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
        chain.Budget.ClassTotals[FailureClass.None].ShouldBe(100_100);
    }

    [Fact]
    public async Task No_call_is_lost_when_threads_count_and_read_while_minutes_begin()
    {
        var clock = new ManualTimeProvider();
        var budget = Budget(clock, isKept: true);
        const int PerThread = 200_000;
        long saved = 0;
        bool isOver = false;
        var reader = Task.Run(() =>
        {
            while (!Volatile.Read(ref isOver))
            {
                clock.Advance(TimeSpan.FromSeconds(7));
                budget.Read(TimeSpan.FromHours(1), clock.GetTimestamp());
                saved += budget.TakeUnsaved("1").Sum(c => c.Calls);
            }
        }, TestContext.Current.CancellationToken);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < PerThread; i++)
                budget.Count(i % 10 == 0 ? FailureClass.Transient : FailureClass.None, i % 10 == 0, clock.GetTimestamp());
        }, TestContext.Current.CancellationToken)));
        Volatile.Write(ref isOver, true);
        await reader;

        saved += budget.TakeUnsaved("1").Sum(c => c.Calls);
        saved.ShouldBe(4 * PerThread);
        budget.ClassTotals.Values.Sum().ShouldBe(4 * PerThread);
        budget.Read(TimeSpan.FromDays(90), clock.GetTimestamp()).ShouldBe(new(4 * PerThread, 4 * PerThread / 10));
    }

    private static ErrorBudget Budget(ManualTimeProvider clock, bool isKept = false) =>
        new("api", clock, ErrorBudgetPolicy.From(new()), new(NullLogger.Instance), isKept);
}
