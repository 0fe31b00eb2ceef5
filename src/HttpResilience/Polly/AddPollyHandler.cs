using HttpResilience;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;
using Polly;

namespace Microsoft.Extensions.DependencyInjection;

public static partial class HttpResilienceServiceCollectionExtensions
{
    extension(IHttpClientBuilder builder)
    {
        /// <summary>
        /// Adds a handler that sends requests through a Polly pipeline. It is placed where <c>AddHttpMessageHandler</c> would put it: after
        /// <c>AddResilientHttpClient</c> or <c>AddResilience</c> that is inside the chain, where it runs once per attempt.
        /// </summary>
        /// <param name="name">The name of the pipeline in Polly's telemetry.</param>
        /// <param name="configure">
        /// Builds the pipeline, once for each client: its circuits and limiters outlive the factory's handlers.
        /// </param>
        /// <returns>The same builder.</returns>
        /// <remarks>
        /// The pipeline's context has the request and the <see cref="HttpCall"/> (<see cref="HttpResilienceContext"/>), and the
        /// cancellation token that ends the attempt. <c>HttpClient.Send</c> runs the pipeline synchronously. A pipeline that repeats
        /// requests or sends them side by side has one message and one body to do it with; leave that to <c>Retry</c> and <c>Hedging</c>,
        /// which see to both. What the pipeline throws itself, such as <c>BrokenCircuitException</c>, reaches the caller as it is; a
        /// <c>TimeoutRejectedException</c> is retried like any timeout.
        /// </remarks>
        /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="name"/> or <paramref name="configure"/> is null.</exception>
        public IHttpClientBuilder AddPollyHandler(string name, Action<ResiliencePipelineBuilder<HttpResponseMessage>> configure)
        {
            ArgumentNullException.ThrowIfNull(configure);
            return builder.AddPollyHandler(name, (_, pipeline) => configure(pipeline));
        }

        /// <param name="configure">Builds the pipeline, once for each client, with the root container at hand.</param>
        /// <inheritdoc cref="AddPollyHandler(IHttpClientBuilder, string, Action{ResiliencePipelineBuilder{HttpResponseMessage}})"/>
        public IHttpClientBuilder AddPollyHandler(
            string name, Action<IServiceProvider, ResiliencePipelineBuilder<HttpResponseMessage>> configure)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(name);
            ArgumentNullException.ThrowIfNull(configure);

            var services = builder.Services;
            services.TryAddSingleton(TimeProvider.System);
            services.TryAddSingleton(provider => PollyPipelines.CreateRegistry(provider.GetRequiredService<TimeProvider>()));
            services.TryAddSingleton<PollyPipelines>();
            services.Configure<HttpClientFactoryOptions>(builder.Name, options => options.HttpMessageHandlerBuilderActions.Add(handlers =>
            {
                var pipelines = handlers.Services.GetRequiredService<PollyPipelines>();
                string client = handlers.Name ?? Options.Options.DefaultName;
                handlers.AdditionalHandlers.Add(new PollyHandler(pipelines.For(client, name, configure)));
            }));
            return builder;
        }
    }
}
