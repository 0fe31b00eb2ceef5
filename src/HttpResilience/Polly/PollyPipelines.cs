using Polly;
using Polly.Registry;

namespace HttpResilience;

/// <summary>
/// The pipelines of <c>AddPollyHandler</c>: each is built once for a client and outlives its handlers, which the factory replaces every two
/// minutes.
/// </summary>
/// <param name="services">The root container.</param>
internal sealed class PollyPipelines(ResiliencePipelineRegistry<PollyPipelineKey> registry, IServiceProvider services)
{
    internal ResiliencePipeline<HttpResponseMessage> For(
        string clientName, string name, Action<IServiceProvider, ResiliencePipelineBuilder<HttpResponseMessage>> configure) =>
        registry.GetOrAddPipeline<HttpResponseMessage>(new(clientName, name, configure), builder => configure(services, builder));

    /// <summary>Disposed with the container, and the pipelines with it.</summary>
    internal static ResiliencePipelineRegistry<PollyPipelineKey> CreateRegistry(TimeProvider time)
    {
        var options = new ResiliencePipelineRegistryOptions<PollyPipelineKey>
        {
            BuilderFactory = () => new ResiliencePipelineBuilder { TimeProvider = time },
            BuilderNameFormatter = static key => key.Name,
            InstanceNameFormatter = static key => key.ClientName,
        };
        return new(options);
    }
}

/// <param name="Configure">Tells two of one name apart.</param>
internal sealed record PollyPipelineKey(string ClientName, string Name, Delegate Configure);
