using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Polly;

namespace HttpResilience.Peers;

/// <summary>A pipeline of Polly.Core in a handler of the application.</summary>
internal sealed class PollyPeer : Peer
{
    internal override string Name { get; } = Versioned("Polly.Core", typeof(ResiliencePipeline));

    internal override bool Has(Feature feature) => feature is not Feature.Configuration;

    internal override IHttpClientBuilder AddTo(IServiceCollection services, PeerSettings settings)
    {
        var polly = Settings(settings);
        return services.AddHttpClient(PeerClient.Name).AddHttpMessageHandler(
            () => settings.ByAuthority ? new PipelineByAuthorityHandler(polly) : new OnePipelineHandler(polly));
    }

    internal override IHttpClientBuilder AddTo(IServiceCollection services, IConfigurationRoot configuration) =>
        throw new NotSupportedException("A pipeline is built in code.");

    private static PollySettings Settings(PeerSettings settings) => settings.IsDefault ? new() : new()
    {
        Total = settings.Total,
        Attempt = settings.Attempt,
        Retries = settings.Retries,
        Delay = settings.Delay,
        Grows = false,
        MinimumThroughput = settings.FailuresToOpen ?? int.MaxValue,
        FailureRatio = 0.01,
        Break = settings.Break,
    };
}
