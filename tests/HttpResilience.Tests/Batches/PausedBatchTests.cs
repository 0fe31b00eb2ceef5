using HttpResilience.Tests.Operations.ErrorBudgets;
using HttpResilience.Tests.Storage;

namespace HttpResilience.Tests.Batches;

public sealed class PausedBatchTests
{
    [Fact]
    public async Task A_pause_stops_the_whole_batch_at_its_first_record_and_is_reported()
    {
        using var chain = PausedCallTests.PausingChain(o => o.ErrorBudget.Objective = 0.99);
        var store = new TestStorage();
        chain.Server.Script(Replies.Status(200), Replies.Status(503));

        var report = await IsolatedBatch.RunAsync(
            Enumerable.Range(0, 100), async (_, token) => (await chain.Client.GetAsync("invoices", token)).EnsureSuccessStatusCode(),
            new()
            {
                MaxParallelism = 1,
                RecordTimeout = null,
                TimeProvider = chain.Clock,
                Checkpoint = new(store.Checkpoints, "batch") { Mode = CheckpointMode.AdvanceAndDeadLetter },
            },
            TestContext.Current.CancellationToken);

        // One success, five failures that pause the integration, and the record that the pause rejected, which another run repeats.
        (report.StopReason, report.Succeeded, report.Failed).ShouldBe((BatchStopReason.FailureForAll, 1, 6));
        report.StoppedBy!.ShouldSatisfyAllConditions(
            f => f.Index.ShouldBe(6), f => f.ErrorType.ShouldBe(nameof(IntegrationPausedException)));
        report.ToString().ShouldStartWith("1 succeeded, 6 failed; stopped early at record 6: Client 'api' has been paused since ");
        store.Checkpoint.Position.ShouldBe(6);
        chain.Server.Requests.Count.ShouldBe(6);
    }

    [Fact]
    public void A_pause_is_found_inside_an_exception_that_wraps_it() =>
        BatchRejection.IsPause(new InvalidOperationException(
            "no invoice", new AggregateException(new IntegrationPausedException("api", default, null)))).ShouldBeTrue();
}
