using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Refit;

namespace HttpResilience.Peers;

/// <summary>The retry handler of Refit, which any client may have.</summary>
internal sealed class RefitPeer : Peer
{
    internal override string Name { get; } = Versioned("Refit", typeof(HttpRetryHandler));

    // It retries, and does nothing else.
    internal override bool Has(Feature feature) => false;

    internal override IHttpClientBuilder AddTo(IServiceCollection services, PeerSettings settings)
    {
        var options = settings.IsDefault ? new HttpRetryOptions() : new()
        {
            MaxRetries = settings.Retries,
            BaseDelay = settings.Delay,
            UseJitter = false,
            RetryUnsafeMethods = settings.MakesKeys,
        };
        return services.AddHttpClient(PeerClient.Name).AddHttpMessageHandler(() => new HttpRetryHandler(options));
    }

    internal override IHttpClientBuilder AddTo(IServiceCollection services, IConfigurationRoot configuration) =>
        throw new NotSupportedException("Its options are made in code.");
}
