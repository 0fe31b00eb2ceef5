using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace HttpResilience.Migration;

/// <summary>Reloads the options of a client when those that they are taken from have changed.</summary>
internal sealed class PeerChangeTokenSource : IOptionsChangeTokenSource<HttpResilienceOptions>, IDisposable
{
    private readonly IDisposable _watch;
    private CancellationTokenSource _changed = new();

    internal PeerChangeTokenSource(IServiceProvider services, MigratedClient client)
    {
        Name = client.Name;
        _watch = PeerOptions.OnChange(services, client, Signal);
    }

    public string? Name { get; }

    public IChangeToken GetChangeToken() => new CancellationChangeToken(Volatile.Read(ref _changed).Token);

    public void Dispose() => _watch.Dispose();

    private void Signal() => Interlocked.Exchange(ref _changed, new()).Cancel();
}
