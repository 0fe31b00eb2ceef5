using System.Net;
using HttpResilience.Tests.CircuitBreaker;
using HttpResilience.Tests.Storage;

namespace HttpResilience.Tests.Batches;

/// <summary>Failures in the surroundings of a batch.</summary>
public sealed class BatchTroubleTests
{
    private readonly TestStorage _store = new();
    private readonly ManualTimeProvider _clock = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, InlineData(CheckpointMode.LastContiguousSuccess), InlineData(CheckpointMode.AdvanceAndDeadLetter)]
    public async Task A_failed_record_is_never_stored_as_done_without_its_failure(CheckpointMode mode)
    {
        // The first save fails; the last one, which releases the batch, succeeds.
        int saves = 0;
        _store.Before(nameof(ICheckpointStore.SaveAsync),
            () => ++saves == 1 ? throw new HttpResilienceStorageException("for a moment") : Task.CompletedTask);
        Task Bad(int record, CancellationToken token) => throw new FormatException("bad");

        await Should.ThrowAsync<HttpResilienceStorageException>(() => IsolatedBatch.RunAsync([1], Bad, Options(mode), Stop));
        _store.Before(nameof(ICheckpointStore.SaveAsync), () => Task.CompletedTask);
        var next = await IsolatedBatch.RunAsync([1], Bad, Options(mode), Stop);

        next.Failures.ShouldHaveSingleItem().Error.ShouldBe("bad");
    }

    [Fact]
    public async Task A_lease_renewal_stores_a_failed_record_with_its_failure()
    {
        var (saving, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        int saves = 0;
        _store.Before(nameof(ICheckpointStore.SaveAsync), () =>
        {
            // The second record fails while the first is in progress, before the lease renewal.
            if (++saves != 1)
                return Task.CompletedTask;
            saving.SetResult();
            return goOn.Task;
        });
        var running = IsolatedBatch.RunAsync([0, 1, 2], async (record, _) =>
        {
            if (record == 1)
                throw new FormatException("bad");
            if (record == 2)
            {
                await saving.Task;
                _clock.Advance(TimeSpan.FromSeconds(5));
                goOn.SetResult();
            }
        }, Options(CheckpointMode.AdvanceAndDeadLetter), Stop);
        await running;

        (await _store.Checkpoints.FailuresAsync("batch", null, 10, Stop)).Select(f => f.Index).ShouldBe([1]);
        _store.Checkpoint.Position.ShouldBe(3);
    }

    [Fact]
    public async Task A_record_whose_first_call_was_processed_is_not_tried_again()
    {
        using var chain = new Chain(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (1, 0));
        chain.Server.Script(Replies.Status(201), Replies.Status(503), Replies.Status(200));

        var report = await IsolatedBatch.RunAsync([1], async (_, token) =>
        {
            (await chain.Client.PostAsync(new Uri("customers", UriKind.Relative), null, token)).EnsureSuccessStatusCode();
            await chain.Client.GetAsync(new Uri("invoices", UriKind.Relative), token);
            await chain.Client.PostAsync(new Uri("invoices", UriKind.Relative), null, token);
        }, new() { RecordTimeout = null, TimeProvider = chain.Clock }, Stop);

        report.Failures.ShouldHaveSingleItem().ErrorType.ShouldBe(nameof(CircuitOpenException));
        chain.Server.Requests.Count(s => s.Uri.AbsolutePath == "/customers").ShouldBe(1);
    }

    [Fact]
    public async Task An_exception_caused_by_cancelling_the_batch_is_not_a_failure_of_the_record()
    {
        using var caller = new CancellationTokenSource();

        await Record.ExceptionAsync(() => IsolatedBatch.RunAsync([1], async (_, token) =>
        {
            await caller.CancelAsync();
            throw new InvalidOperationException("the command has failed", new OperationCanceledException(token));
        }, Options(CheckpointMode.AdvanceAndDeadLetter), caller.Token));

        (_store.Checkpoint.Position, (await _store.Checkpoints.FailuresAsync("batch", null, 10, Stop)).Count).ShouldBe((0, 0));
    }

    [Fact]
    public async Task A_stream_that_stopped_early_throws()
    {
        int seen = 0;

        var failure = await Should.ThrowAsync<BatchStoppedException>(async () =>
        {
            await foreach (var _ in IsolatedBatch.StreamAsync(Enumerable.Range(0, 100),
                (r, _) => r == 3 ? throw new FormatException("bad") : Task.FromResult(r),
                new() { MaxFailures = 0 }, Stop))
                seen++;
        });

        (failure.Report.StopReason, failure.Report.StoppedBy!.Index).ShouldBe((BatchStopReason.TooManyFailures, 3));
        seen.ShouldBeLessThan(100);
    }

    [Fact]
    public void A_stream_has_no_checkpoint() => Should.Throw<ArgumentException>(
        () => IsolatedBatch.StreamAsync([1], (r, _) => Task.FromResult(r), new() { Checkpoint = new(_store.Checkpoints, "batch") },
            Stop)).Message.ShouldContain("Use RunAsync");

    [Fact]
    public async Task An_outage_of_one_host_is_not_an_outage_for_all_records()
    {
        using var chain = new Chain(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (1, 0));
        chain.Server.Script((clock, async, token) =>
            (chain.Server.Requests[^1].Uri.Host == "dead.test" ? Replies.ConnectionRefused() : Replies.Status(200))(clock, async, token));

        var report = await IsolatedBatch.RunAsync(Enumerable.Range(0, 100), async (record, token) =>
        {
            using var response = await chain.Client.PostAsync(
                new Uri(record % 10 == 3 ? "https://dead.test/x" : "https://api.test/x"), null, token);
            if (response.StatusCode is not HttpStatusCode.OK)
                response.EnsureSuccessStatusCode();
        }, new() { MaxParallelism = 1, RecordTimeout = null, TimeProvider = chain.Clock }, Stop);

        (report.StopReason, report.Succeeded, report.Failed).ShouldBe((BatchStopReason.Completed, 90, 10));
    }

    [Fact]
    public async Task A_batch_that_has_stopped_does_not_wait_for_the_next_record_of_its_source()
    {
        var report = await IsolatedBatch.RunAsync(
            Source(Stop), (_, _) => throw new FormatException("bad"), new() { MaxFailures = 0 }, Stop);

        (report.StopReason, report.Failed).ShouldBe((BatchStopReason.TooManyFailures, 1));

        static async IAsyncEnumerable<int> Source([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
        {
            yield return 1;
            await Task.Delay(Timeout.Infinite, token);
        }
    }

    [Fact]
    public async Task The_scope_of_the_application_is_not_changed()
    {
        var shared = new HttpCallScopeOptions { Tenant = "comp1" };

        var report = await IsolatedBatch.RunAsync(
            Enumerable.Range(0, 3), (_, _) => throw new FormatException("bad"), new() { Scope = (_, _) => shared }, Stop);

        shared.Tags.ShouldBeEmpty();
        report.Failures.Select(f => f.Tags["recordIndex"]).ShouldBe(["0", "1", "2"]);
    }

    private BatchOptions<int> Options(CheckpointMode mode) =>
        new() { Checkpoint = new(_store.Checkpoints, "batch", mode), TimeProvider = _clock };
}
