using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace HttpResilience;

/// <summary>The result of one record.</summary>
/// <param name="Index">Its index in the source, from 0.</param>
/// <param name="Record">The record.</param>
/// <param name="Value">The value that the action returned; the default when it failed.</param>
/// <param name="Failure">The failure; null when it succeeded.</param>
public sealed record BatchResult<T, TResult>(long Index, T Record, TResult? Value, BatchFailure? Failure)
{
    /// <summary>Whether the action has returned <see cref="Value"/>.</summary>
    public bool IsSuccess => Failure is null;
}

/// <summary>Gives results in the order of the source, at the pace of their reader.</summary>
internal sealed class BatchStream<T, TResult>(Func<T, CancellationToken, Task<TResult>> action, BatchOptions<T> options, long? total)
{
    internal async IAsyncEnumerable<BatchResult<T, TResult>> RunAsync(
        IAsyncEnumerable<T> source, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var begun = Channel.CreateBounded<Task<BatchResult<T, TResult>>>(
            new BoundedChannelOptions(4 * options.MaxParallelism) { SingleReader = true });
        var running = RunToEndAsync(source, begun.Writer, left.Token);
        try
        {
            await foreach (var result in begun.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                // A record in progress when the batch ended may have no result.
                if (await Task.WhenAny(result, running).ConfigureAwait(false) != result && !result.IsCompleted)
                    break;
                yield return await result.ConfigureAwait(false);
            }

            await ((Task)running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (await running.ConfigureAwait(false) is { StopReason: not BatchStopReason.Completed } report)
                throw new BatchStoppedException(report);
        }
        finally
        {
            await left.CancelAsync().ConfigureAwait(false);
            await ((Task)running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<BatchReport> RunToEndAsync(
        IAsyncEnumerable<T> source, ChannelWriter<Task<BatchResult<T, TResult>>> begun, CancellationToken cancellationToken)
    {
        try
        {
            using var run = new BatchRun<T>((record, index, token) => BeginAsync(record, index, begun, token), options, total);
            return await run.RunAsync(source, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            begun.Complete();
        }
    }

    private async ValueTask<BatchStep> BeginAsync(
        T record, long index, ChannelWriter<Task<BatchResult<T, TResult>>> begun, CancellationToken cancellationToken)
    {
        var result = new TaskCompletionSource<BatchResult<T, TResult>>(TaskCreationOptions.RunContinuationsAsynchronously);
        TResult? value = default;
        await begun.WriteAsync(result.Task, cancellationToken).ConfigureAwait(false);
        return new(
            async token => value = await action(record, token).ConfigureAwait(false),
            failure => result.TrySetResult(new(index, record, failure is null ? value : default, failure)));
    }
}
