using Microsoft.Extensions.Http;

namespace HttpResilience;

/// <summary>
/// Adds the <see cref="ResendCountPropagator"/> to the primary handler of a client with the chain. A handler without a propagator, such as
/// <see cref="HttpClientHandler"/>, stays unchanged.
/// </summary>
internal sealed class ResendCountFilter : IHttpMessageHandlerBuilderFilter
{
    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
    {
        next(builder);
        if (builder.AdditionalHandlers.Any(h => h is ChainHandler))
            Observe(builder.PrimaryHandler);
    };

    private static void Observe(HttpMessageHandler? primary)
    {
        while (primary is DelegatingHandler { InnerHandler: { } inner })
            primary = inner;
        if (primary is not SocketsHttpHandler { ActivityHeadersPropagator: { } propagator and not ResendCountPropagator } sockets)
            return;

        try
        {
            sockets.ActivityHeadersPropagator = new ResendCountPropagator(propagator);
        }
        catch (InvalidOperationException)
        {
            // The handler has already sent requests: the application shares it, and its spans stay unchanged. This cannot be detected
            // beforehand.
        }
    }
}
