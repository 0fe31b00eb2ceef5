extern alias core;

using CoreWorker = core::HttpResilience.DetachedWorker;

namespace HttpResilience.Tests.Time;

/// <summary>The end of a background service, as the host sees it.</summary>
public sealed class DetachedWorkerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(typeof(OperationCanceledException), false), InlineData(typeof(ObjectDisposedException), false)]
    [InlineData(typeof(OperationCanceledException), true), InlineData(typeof(ObjectDisposedException), true)]
    public async Task Work_that_is_stopped_or_disposed_ends_without_an_exception(Type failure, bool isDisposed)
    {
        using var worker = new Worker(token => FailAsync(failure, token));
        await worker.StartAsync(Stop);
        await worker.Begun.Task.WaitAsync(Stop);

        if (isDisposed)
            worker.Dispose();
        else
            await worker.StopAsync(Stop);

        await EndAsync(worker);
        worker.ExecuteTask!.Status.ShouldBe(TaskStatus.RanToCompletion);
    }

    [Theory]
    [InlineData(typeof(ObjectDisposedException), false), InlineData(typeof(InvalidOperationException), false)]
    [InlineData(typeof(InvalidOperationException), true)]
    public async Task Any_other_failure_reaches_the_host(Type failure, bool isStopped)
    {
        using var worker = new Worker(token => isStopped ? FailAsync(failure, token) : FailAsync(failure, new(canceled: true)));
        await worker.StartAsync(Stop);
        await worker.Begun.Task.WaitAsync(Stop);

        if (isStopped)
            await worker.StopAsync(Stop);

        await EndAsync(worker);
        worker.ExecuteTask!.Exception!.InnerException.ShouldBeOfType(failure);
    }

    [Fact]
    public async Task A_worker_that_is_disposed_at_its_start_ends_and_is_not_cancelled()
    {
        for (int i = 0; i < 500; i++)
        {
            var worker = new Worker(token => Task.Delay(Timeout.Infinite, token));
            await worker.StartAsync(Stop);
            worker.Dispose();

            await EndAsync(worker);
            worker.ExecuteTask!.Status.ShouldBe(TaskStatus.RanToCompletion);
        }
    }

    private static async Task EndAsync(Worker worker) =>
        await worker.ExecuteTask!.WaitAsync(TimeSpan.FromSeconds(30), Stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static async Task FailAsync(Type failure, CancellationToken until)
    {
        await Task.Delay(Timeout.Infinite, until).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        throw (Exception)Activator.CreateInstance(failure, "the store")!;
    }

    private sealed class Worker(Func<CancellationToken, Task> work) : CoreWorker
    {
        internal TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override Task WorkAsync(CancellationToken stoppingToken)
        {
            Begun.TrySetResult();
            return work(stoppingToken);
        }
    }
}
