using Microsoft.Extensions.Hosting;

namespace HttpResilience;

/// <summary>A background service that starts outside the context of the code that starts the host.</summary>
internal abstract class DetachedWorker : BackgroundService
{
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Task started;
        using (AmbientContext.Suppress())
            started = base.StartAsync(cancellationToken);
        return started;
    }
}
