using Microsoft.Extensions.Hosting;

namespace HttpResilience;

/// <summary>
/// A background service that starts outside the context of the code that starts the host, and that ends without an exception when it is
/// stopped or disposed: the host would report that of a disposed service as critical.
/// </summary>
internal abstract class DetachedWorker : BackgroundService
{
    private bool _hasBegun;
    private bool _isDisposed;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Task started;
        using (AmbientContext.Suppress())
            started = base.StartAsync(cancellationToken);
        return started;
    }

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Interlocked.Exchange(ref _hasBegun, true);
        if (Volatile.Read(ref _isDisposed))
            return;
        try
        {
            await WorkAsync(stoppingToken).ConfigureAwait(false);
        }
        catch (Exception e) when (stoppingToken.IsCancellationRequested && e is OperationCanceledException or ObjectDisposedException)
        {
            // The container may dispose the store before this service.
        }
    }

    public override void Dispose()
    {
        // A task that is cancelled before it begins is a failure for the host: it begins, and returns at once.
        Interlocked.Exchange(ref _isDisposed, true);
        if (ExecuteTask is null || Volatile.Read(ref _hasBegun))
            base.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The work, until the token is cancelled.</summary>
    protected abstract Task WorkAsync(CancellationToken stoppingToken);
}
