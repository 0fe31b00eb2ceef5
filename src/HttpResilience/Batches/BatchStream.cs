using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace HttpResilience;

/// <summary>What came of one record.</summary>
/// <param name="Index">Its place in the source, from 0.</param>
/// <param name="Record">The record.</param>
/// <param name="Value">What the action returned; the default when it failed.</param>
/// <param name="Failure">Why it failed; null when it succeeded.</param>
public sealed record BatchResult<T, TResult>(long Index, T Record, TResult? Value, BatchFailure? Failure)
{
    /// <summary>The action has returned <see cref="Value"/>.</summary>
    public bool IsSuccess => Failure is null;
}

/// <summary>Gives results in the order of the source: who reads them sets the pace.</summary>
internal sealed class BatchStream<T, TResult>(Func<T, CancellationToken, Task<TResult>> action, BatchOptions<T> options, long? total)
{
    private readonly Channel<Task<BatchResult<T, TResult>>> _begun =
        Channel.CreateBounded<Task<BatchResult<T, TResult>>>(new BoundedChannelOptions(4 * options.MaxParallelism) { SingleReader = true, SingleWriter = true });

    internal async IAsyncEnumerable<BatchResult<T, TResult>> RunAsync(IAsyncEnumerable<T> source, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = RunToEndAsync(source, left.Token);
        try
        {
            await foreach (var result in _begun.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                // A record that was begun when the batch ended may have no result.
                if (await Task.WhenAny(result, running).ConfigureAwait(false) != result && !result.IsCompleted)
                    break;
                yield return await result.ConfigureAwait(false);
            }

            await running.ConfigureAwait(false);
        }
        finally
        {
            await left.CancelAsync().ConfigureAwait(false);
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RunToEndAsync(IAsyncEnumerable<T> source, CancellationToken cancellationToken)
    {
        try
        {
            using var run = new BatchRun<T>(BeginAsync, options, total);
            await run.RunAsync(source, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _begun.Writer.Complete();
        }
    }

    private async ValueTask<BatchStep> BeginAsync(T record, long index, CancellationToken cancellationToken)
    {
        var result = new TaskCompletionSource<BatchResult<T, TResult>>(TaskCreationOptions.RunContinuationsAsynchronously);
        TResult? value = default;
        await _begun.Writer.WriteAsync(result.Task, cancellationToken).ConfigureAwait(false);
        return new(
            async token => value = await action(record, token).ConfigureAwait(false),
            failure => result.TrySetResult(new(index, record, failure is null ? value : default, failure)));
    }
}
