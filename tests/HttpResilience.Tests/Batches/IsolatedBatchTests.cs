using System.Collections.Concurrent;

namespace HttpResilience.Tests.Batches;

/// <summary>The failure of one record does not affect the others.</summary>
public sealed class IsolatedBatchTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static readonly string[] Kinds = ["throws at once", "throws later", "stalls", "blocks", "is huge", "scope throws"];

    public static TheoryData<int, string> Poison =>
        [.. from position in Enumerable.Range(0, 100) from kind in Kinds select (position, kind)];

    [Theory, MemberData(nameof(Poison))]
    public async Task A_poison_record_does_not_affect_the_other_ninety_nine(int position, string kind)
    {
        var clock = new ManualTimeProvider();
        using var blocked = new ManualResetEventSlim();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ConcurrentBag<int> done = [];
        var options = new BatchOptions<int>
        {
            TimeProvider = clock,
            MaxParallelism = 1,
            RecordTimeout = TimeSpan.FromSeconds(30),
            Scope = (record, _) => record == position && kind == "scope throws" ? throw new FormatException("poison") : new(),
        };

        var running = IsolatedBatch.RunAsync(Enumerable.Range(0, 100), async (record, token) =>
        {
            if (record == position)
            {
                begun.SetResult();
                switch (kind)
                {
                    case "throws at once":
                        throw new FormatException("poison");
                    case "throws later":
                        await Task.Yield();
                        throw new FormatException("poison");
                    case "stalls":
                        await Task.Delay(Timeout.Infinite, CancellationToken.None);
                        break;
                    case "is huge":
                        // Larger than any array, like a record for which no memory is sufficient.
                        _ = new byte[Array.MaxLength + 1L];
                        break;
                    case "blocks":
                        blocked.Wait(CancellationToken.None);
                        break;
                }
            }

            done.Add(record);
        }, options, Stop);
        if (kind is "stalls" or "blocks")
        {
            await begun.Task;
            await clock.TimerDueInAsync(TimeSpan.FromSeconds(30));
            clock.Advance(TimeSpan.FromSeconds(30));
        }

        var report = await running;
        blocked.Set();

        report.StopReason.ShouldBe(BatchStopReason.Completed);
        (report.Succeeded, report.Failed).ShouldBe((99, 1));
        done.Where(d => d != position).Order().ShouldBe(Enumerable.Range(0, 100).Where(i => i != position));
        var failure = report.Failures.ShouldHaveSingleItem();
        (failure.Index, failure.Error).ShouldBe((position, kind switch
        {
            "stalls" or "blocks" => "The record took longer than 00:00:30 (RecordTimeout).",
            "is huge" => "Array dimensions exceeded supported range.",
            _ => "poison",
        }));
        failure.FailureClass.ShouldBe(kind is "stalls" or "blocks" ? FailureClass.Transient : FailureClass.Permanent);
        report.FailuresByClass.ShouldBe(new Dictionary<FailureClass, long> { [failure.FailureClass] = 1 });
        report.ToString().ShouldBe("99 succeeded, 1 failed");
    }

    [Theory, InlineData(1), InlineData(4), InlineData(16)]
    public async Task No_more_records_are_processed_at_once_than_allowed(int maxParallelism)
    {
        int now = 0, most = 0;
        var full = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        var report = await IsolatedBatch.RunAsync(Enumerable.Range(0, 500), async (_, _) =>
        {
            int at = Interlocked.Increment(ref now);
            InterlockedMax(ref most, at);
            if (at == maxParallelism)
                full.TrySetResult();
            await full.Task;
            Interlocked.Decrement(ref now);
        }, new() { MaxParallelism = maxParallelism }, Stop);

        (report.Succeeded, most).ShouldBe((500, maxParallelism));
    }

    [Fact]
    public async Task A_source_is_read_no_further_than_its_records_are_processed()
    {
        int read = 0;
        var gate = new TaskCompletionSource();

        var running = IsolatedBatch.RunAsync(Source(), (_, _) => gate.Task, new() { MaxParallelism = 3 }, Stop);
        for (int i = 0; i < 100; i++)
            await Task.Yield();
        Volatile.Read(ref read).ShouldBeLessThanOrEqualTo(4);
        gate.SetResult();

        (await running).Succeeded.ShouldBe(50);

        async IAsyncEnumerable<int> Source()
        {
            for (int i = 0; i < 50; i++)
            {
                Interlocked.Increment(ref read);
                await Task.Yield();
                yield return i;
            }
        }
    }

    [Fact]
    public async Task A_failing_source_ends_the_batch_after_the_records_in_progress()
    {
        ConcurrentBag<int> done = [];

        var failure = await Should.ThrowAsync<FormatException>(() => IsolatedBatch.RunAsync(Source(), async (record, _) =>
        {
            await Task.Yield();
            done.Add(record);
        }, null, Stop));

        (failure.Message, done.Count).ShouldBe(("row 3 is no row", 3));

        static IEnumerable<int> Source()
        {
            for (int i = 0; i < 3; i++)
                yield return i;
            throw new FormatException("row 3 is no row");
        }
    }

    [Fact]
    public async Task A_cancelled_batch_starts_no_record_and_waits_for_those_in_progress()
    {
        using var caller = new CancellationTokenSource();
        int begun = 0, ended = 0;

        var running = IsolatedBatch.RunAsync(Enumerable.Range(0, 100), async (_, token) =>
        {
            if (Interlocked.Increment(ref begun) == 4)
                await caller.CancelAsync();
            try
            {
                await Task.Delay(Timeout.Infinite, token);
            }
            finally
            {
                Interlocked.Increment(ref ended);
            }
        }, null, caller.Token);

        var failure = (await Record.ExceptionAsync(() => running)).ShouldBeAssignableTo<OperationCanceledException>()!;
        (failure.CancellationToken, begun, ended).ShouldBe((caller.Token, 4, 4));
    }

    [Fact]
    public async Task A_record_that_ignores_cancellation_delays_a_cancelled_batch_by_at_most_ten_seconds()
    {
        var clock = new ManualTimeProvider();
        using var caller = new CancellationTokenSource();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = IsolatedBatch.RunAsync([1], (_, _) =>
        {
            begun.SetResult();
            return new TaskCompletionSource().Task;
        }, new() { TimeProvider = clock }, caller.Token);
        await begun.Task;
        await clock.TimerDueInAsync(TimeSpan.FromMinutes(10));

        await caller.CancelAsync();
        await clock.TimerDueInAsync(TimeSpan.FromSeconds(10));
        clock.Advance(TimeSpan.FromSeconds(9.999));
        running.IsCompleted.ShouldBeFalse();
        clock.Advance(TimeSpan.FromSeconds(0.001));

        (await Record.ExceptionAsync(() => running)).ShouldBeAssignableTo<OperationCanceledException>();
    }

    [Theory, InlineData(3, 4), InlineData(0, 1)]
    public async Task Too_many_failures_stop_the_batch(int maxFailures, int failed)
    {
        var report = await IsolatedBatch.RunAsync(Enumerable.Range(0, 100), (_, _) => throw new FormatException("bad"),
            new() { MaxFailures = maxFailures, MaxParallelism = 1 }, Stop);

        (report.StopReason, report.Failed, report.StoppedBy!.Index).ShouldBe((BatchStopReason.TooManyFailures, failed, failed - 1));
        report.ToString().ShouldBe($"0 succeeded, {failed} failed; stopped early: too many failures");
    }

    [Fact]
    public async Task The_application_can_stop_the_batch_at_a_failure()
    {
        var report = await IsolatedBatch.RunAsync(Enumerable.Range(0, 100),
            (r, _) => r == 7 ? throw new FormatException("end of the month") : Task.CompletedTask,
            new() { StopWhen = f => f.Error == "end of the month", MaxParallelism = 1 }, Stop);

        (report.StopReason, report.Succeeded, report.Failed).ShouldBe((BatchStopReason.StopWhen, 7, 1));
        report.ToString().ShouldBe("7 succeeded, 1 failed; stopped early at record 7: end of the month");
    }

    [Fact]
    public async Task The_report_lists_failures_up_to_the_limit_and_counts_all()
    {
        var report = await IsolatedBatch.RunAsync(
            Enumerable.Range(0, 100), (_, _) => throw new FormatException("bad"), new() { MaxReportedFailures = 5 }, Stop);

        (report.Failed, report.Failures.Count, report.FailuresByClass[FailureClass.Permanent]).ShouldBe((100, 5, 100));
    }

    [Fact]
    public async Task Progress_is_reported_at_most_ten_times_a_second_and_at_the_end()
    {
        var clock = new ManualTimeProvider();
        var told = new Told();

        await IsolatedBatch.RunAsync(Enumerable.Range(0, 1000), (r, _) =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(1));
            return r % 10 == 0 ? throw new FormatException("bad") : Task.CompletedTask;
        }, new() { Progress = told, TimeProvider = clock, MaxParallelism = 1 }, Stop);

        told.Count.ShouldBe(11);
        told[0].ShouldBe(new(0, 1, 0, 1000, TimeSpan.FromMilliseconds(1)));
        told[1].ShouldBe(new(90, 11, 0, 1000, TimeSpan.FromMilliseconds(101)));
        (told[1].Done, told[1].TimeLeft).ShouldBe((101, TimeSpan.FromMilliseconds(899)));
        told[1].PerSecond.ShouldBe(1000, 0.001);
        told[^1].ShouldBe(new(900, 100, 0, 1000, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task Results_come_in_the_order_of_the_source()
    {
        List<BatchResult<int, string>> results = [];

        await foreach (var result in IsolatedBatch.StreamAsync(Enumerable.Range(0, 200), async (record, _) =>
        {
            for (int i = 0; i < (200 - record) % 7; i++)
                await Task.Yield();
            return record % 50 == 3 ? throw new FormatException("bad") : $"r{record}";
        }, new() { MaxParallelism = 8 }, Stop))
            results.Add(result);

        results.Select(r => r.Index).ShouldBe(Enumerable.Range(0, 200).Select(i => (long)i));
        results.Where(r => r.IsSuccess).ShouldAllBe(r => r.Value == $"r{r.Record}");
        results.Where(r => !r.IsSuccess).Select(r => r.Failure!.Index).ShouldBe([3, 53, 103, 153]);
    }

    [Fact]
    public async Task The_reader_of_results_sets_the_pace_and_may_stop()
    {
        int begun = 0;

        await foreach (var result in IsolatedBatch.StreamAsync(Forever(), async (record, token) =>
        {
            Interlocked.Increment(ref begun);
            await Task.Yield();
            return record;
        }, new() { MaxParallelism = 2 }, Stop))
        {
            if (result.Index == 20)
                break;
            for (int i = 0; i < 50; i++)
                await Task.Yield();
        }

        begun.ShouldBeInRange(21, 21 + 4 * 2 + 2 + 1);

        static IEnumerable<int> Forever()
        {
            for (int i = 0; ; i++)
                yield return i;
        }
    }

    [Fact]
    public async Task An_option_out_of_range_is_rejected()
    {
        foreach (var options in (BatchOptions<int>[])
        [
            new() { MaxParallelism = 0 }, new() { MaxParallelism = 1001 }, new() { RecordTimeout = TimeSpan.Zero },
            new() { OutageTimeout = TimeSpan.FromTicks(-1) }, new() { MaxFailures = -1 }, new() { MaxReportedFailures = -1 }])
            await Should.ThrowAsync<ArgumentOutOfRangeException>(
                () => IsolatedBatch.RunAsync([1], (_, _) => Task.CompletedTask, options, Stop));
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (int seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
            Interlocked.CompareExchange(ref most, value, seen);
    }

    private sealed class Told : List<BatchProgress>, IProgress<BatchProgress>
    {
        public void Report(BatchProgress value) => Add(value);
    }
}
