using System.Collections.Concurrent;
using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Batches;

/// <summary>A batch continues where the last run ended.</summary>
public sealed class BatchCheckpointTests
{
    private readonly TestStorage _store = new();
    private readonly ManualTimeProvider _clock = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, InlineData(CheckpointMode.LastContiguousSuccess), InlineData(CheckpointMode.AdvanceAndDeadLetter)]
    public async Task A_completed_batch_is_not_run_again(CheckpointMode mode)
    {
        await RunAsync(mode, _ => true);

        var (report, worked) = await RunAsync(mode, _ => true);

        (report.Succeeded, report.Skipped, worked.Count).ShouldBe((0, 20, 0));
        (_store.Checkpoint.Position, _store.Checkpoint.Done.Count).ShouldBe((20, 0));
        report.ToString().ShouldBe("nothing new: an earlier run with this checkpoint has done all 20 records");
    }

    [Theory, InlineData(20, true), InlineData(3, true), InlineData(21, false), InlineData(0, false)]
    public async Task A_run_that_skips_everything_is_a_Warning_that_names_the_checkpoint(int count, bool isWarned)
    {
        using var logs = new LogCollector();
        await using var services = new ServiceCollection().AddLogging(l => l.AddProvider(logs)).BuildServiceProvider();
        BatchOptions<int> options = new() { Checkpoint = new(_store.Checkpoints, "invoices\nforged"), Services = services };
        await IsolatedBatch.RunAsync(Enumerable.Range(0, 20), (_, _) => Task.CompletedTask, options, Stop);
        logs.WithId(574).ShouldBeEmpty();

        await IsolatedBatch.RunAsync(Enumerable.Range(100, count), (_, _) => Task.CompletedTask, options, Stop);

        logs.WithId(574).Select(l => (l.Level, l.Message.Split(':')[0], l.Message.Contains("checkpoint invoices forged has",
            StringComparison.Ordinal))).ShouldBe(isWarned ? [(LogLevel.Warning, $"All {count} records were skipped", true)] : []);
    }

    [Fact]
    public async Task Only_failed_records_are_tried_again()
    {
        var (first, _) = await RunAsync(CheckpointMode.LastContiguousSuccess, r => r is not (3 or 7 or 19));
        first.Failures.Select(f => f.Index).ShouldBe([3, 7, 19]);

        var (second, worked) = await RunAsync(CheckpointMode.LastContiguousSuccess, r => r != 7);
        (second.Succeeded, second.Failed, second.Skipped).ShouldBe((2, 1, 17));
        worked.Order().ShouldBe([3, 7, 19]);

        (_, worked) = await RunAsync(CheckpointMode.LastContiguousSuccess, _ => true);
        worked.ShouldBe([7]);
        (_, worked) = await RunAsync(CheckpointMode.LastContiguousSuccess, _ => true);
        worked.ShouldBeEmpty();
    }

    [Fact]
    public async Task Failures_that_the_checkpoint_has_passed_are_stored_and_reported_by_every_run()
    {
        var (first, _) = await RunAsync(CheckpointMode.AdvanceAndDeadLetter, r => r is not (3 or 7));
        first.Failures.Select(f => (f.Index, f.Error, f.Exception is null)).ShouldBe(
            [(3, "record 3 is bad", false), (7, "record 7 is bad", false)]);

        var (second, worked) = await RunAsync(CheckpointMode.AdvanceAndDeadLetter, _ => true);

        worked.ShouldBeEmpty();
        (second.Failed, second.Skipped).ShouldBe((0, 20));
        second.Failures.Select(f => (f.Index, f.Error, f.Exception is null)).ShouldBe(
            [(3, "record 3 is bad", true), (7, "record 7 is bad", true)]);
    }

    [Fact]
    public async Task A_failure_for_all_records_is_not_stored_as_the_failure_of_one()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(200), Replies.Status(401), Replies.Status(200));
        var options = Options(CheckpointMode.AdvanceAndDeadLetter, 1);
        Task Send(int record, CancellationToken token) => SendAsync(chain, token);

        (await IsolatedBatch.RunAsync(Enumerable.Range(0, 5), Send, options, Stop)).StopReason.ShouldBe(BatchStopReason.FailureForAll);
        var second = await IsolatedBatch.RunAsync(Enumerable.Range(0, 5), Send, options, Stop);

        (second.StopReason, second.Succeeded, second.Skipped, second.Failures.Count).ShouldBe((BatchStopReason.Completed, 4, 1, 0));
    }

    [Fact]
    public async Task A_record_is_done_once_saved_and_records_that_end_meanwhile_share_the_next_save()
    {
        var (began, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        int saves = 0;
        _store.Before(nameof(ICheckpointStore.SaveAsync), () =>
        {
            if (Interlocked.Increment(ref saves) > 1)
                return Task.CompletedTask;
            began.TrySetResult();
            return goOn.Task;
        });
        var told = new ConcurrentQueue<BatchProgress>();
        // The others end while the first is being saved.
        var running = IsolatedBatch.RunAsync(Enumerable.Range(0, 8), (record, _) => record == 0 ? Task.CompletedTask : began.Task,
            Options(CheckpointMode.LastContiguousSuccess, 8), Stop);
        await began.Task;
        for (int i = 0; i < 1000; i++)
            await Task.Yield();
        running.IsCompleted.ShouldBeFalse();

        goOn.SetResult();

        (await running).Succeeded.ShouldBe(8);
        // One save for the first, one for those that ended during it, one that releases the batch, and perhaps one for a late record.
        saves.ShouldBeInRange(3, 9);
        _store.Checkpoint.Position.ShouldBe(8);
    }

    [Fact]
    public async Task A_store_that_fails_ends_the_batch()
    {
        (_store.Fails, _store.FailsOn) = (new HttpResilienceStorageException("disk full"), nameof(ICheckpointStore.SaveAsync));
        int begun = 0;

        var failure = await Should.ThrowAsync<HttpResilienceStorageException>(
            () => IsolatedBatch.RunAsync(Enumerable.Range(0, 1000), async (_, _) =>
            {
                Interlocked.Increment(ref begun);
                await Task.Yield();
            }, Options(CheckpointMode.LastContiguousSuccess), Stop));

        failure.Message.ShouldBe("disk full");
        begun.ShouldBeLessThan(1000);
    }

    [Fact]
    public async Task A_batch_leased_by_another_run_is_rejected()
    {
        _clock.SkipsWaits = true;
        _store.TakeBatch("invoices", _clock.GetUtcNow() + TimeSpan.FromSeconds(15));
        bool renewed = false;
        // The other process renews its lease while this one waits.
        int looks = 0;
        _store.Before(nameof(ICheckpointStore.BeginAsync), () =>
        {
            if (++looks != 3)
                return;
            renewed = true;
            _store.TakeBatch("invoices", _clock.GetUtcNow() + TimeSpan.FromSeconds(15));
        });

        var failure = await Should.ThrowAsync<BatchInProgressException>(() => IsolatedBatch.RunAsync([1], (_, _) => Task.CompletedTask,
            new() { Checkpoint = new(_store.Checkpoints, "invoices"), TimeProvider = _clock }, Stop));

        (failure.Name, renewed).ShouldBe(("invoices", true));
        failure.Message.ShouldStartWith("Another run holds the batch 'invoices', at least until ");
    }

    [Fact]
    public async Task A_batch_of_a_killed_run_is_taken_over_when_its_lease_expires()
    {
        _clock.SkipsWaits = true;
        _store.TakeBatch("invoices", _clock.GetUtcNow() + TimeSpan.FromSeconds(15));

        var report = await IsolatedBatch.RunAsync([1], (_, _) => Task.CompletedTask,
            new() { Checkpoint = new(_store.Checkpoints, "invoices"), TimeProvider = _clock, RecordTimeout = null }, Stop);

        (report.Succeeded, _clock.Elapsed >= TimeSpan.FromSeconds(15)).ShouldBe((1, true));
    }

    [Fact]
    public async Task The_wait_for_the_lease_of_a_killed_run_does_not_count_as_an_outage()
    {
        _clock.SkipsWaits = true;
        _store.TakeBatch("invoices", _clock.GetUtcNow() + TimeSpan.FromSeconds(15));
        int times = 0;

        var report = await IsolatedBatch.RunAsync([1], (_, _) =>
            times++ == 0 ? throw new CircuitOpenException("https://api.example.com", TimeSpan.FromSeconds(5)) : Task.CompletedTask,
            new()
            {
                Checkpoint = new(_store.Checkpoints, "invoices"),
                TimeProvider = _clock,
                RecordTimeout = null,
                OutageTimeout = TimeSpan.FromSeconds(10),
            }, Stop);

        (report.StopReason, times).ShouldBe((BatchStopReason.Completed, 2));
    }

    [Fact]
    public async Task A_run_whose_batch_was_taken_over_ends()
    {
        await Should.ThrowAsync<BatchInProgressException>(() => IsolatedBatch.RunAsync(Enumerable.Range(0, 100), (r, _) =>
        {
            if (r == 5)
                _store.TakeBatch("invoices", DateTimeOffset.MaxValue);
            return Task.CompletedTask;
        }, Options(CheckpointMode.LastContiguousSuccess, 1), Stop));

        _store.Checkpoint.Position.ShouldBe(5);
    }

    [Fact]
    public async Task A_long_run_renews_its_lease_and_releases_the_batch_at_its_end()
    {
        var renewed = new TaskCompletionSource();
        _store.Before(nameof(ICheckpointStore.SaveAsync), () =>
        {
            renewed.TrySetResult();
            return Task.CompletedTask;
        });

        await IsolatedBatch.RunAsync([1], async (_, _) =>
        {
            _clock.Advance(TimeSpan.FromSeconds(5));
            await renewed.Task;
        }, Options(CheckpointMode.LastContiguousSuccess), Stop);

        _store.Checkpoint.LeaseUntil.ShouldBe(_clock.GetUtcNow());
    }

    private BatchOptions<int> Options(CheckpointMode mode, int parallel = 4) =>
        new() { Checkpoint = new(_store.Checkpoints, "invoices", mode), TimeProvider = _clock, MaxParallelism = parallel };

    private async Task<(BatchReport, IReadOnlyCollection<int>)> RunAsync(CheckpointMode mode, Func<int, bool> isGood)
    {
        ConcurrentQueue<int> worked = [];
        var report = await IsolatedBatch.RunAsync(Enumerable.Range(0, 20), async (record, _) =>
        {
            worked.Enqueue(record);
            await Task.Yield();
            if (!isGood(record))
                throw new FormatException($"record {record} is bad");
        }, Options(mode), Stop);
        return (report, worked);
    }

    private static async Task SendAsync(Chain chain, CancellationToken token)
    {
        using var request = Chain.Post();
        using var response = await chain.Client.SendAsync(request, token);
        response.EnsureSuccessStatusCode();
    }

}
