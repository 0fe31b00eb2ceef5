using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>The time that all reads of one page have together: 2 seconds.</summary>
internal sealed class ReadDeadline : IDisposable
{
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(2);

    private readonly CancellationToken _aborted;
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _either;

    internal ReadDeadline(PageCall call)
    {
        _aborted = call.Aborted;
        _timeout = new(Time, call.Context.RequestServices.GetService<TimeProvider>() ?? TimeProvider.System);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_aborted, _timeout.Token);
    }

    internal CancellationToken Token => _either.Token;

    /// <summary>What is read; null when the store does not answer in time, for a page that shows the rest.</summary>
    internal async Task<T?> TryAsync<T>(Func<CancellationToken, Task<T>> read)
        where T : class
    {
        try
        {
            return await read(Token).ConfigureAwait(false);
        }
        catch (Exception e) when ((e is HttpResilienceStorageException or OperationCanceledException) && !_aborted.IsCancellationRequested)
        {
            return null;
        }
    }

    public void Dispose()
    {
        _either.Dispose();
        _timeout.Dispose();
    }
}
