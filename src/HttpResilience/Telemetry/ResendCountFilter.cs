using Microsoft.Extensions.Http;

namespace HttpResilience;

/// <summary>
/// Gives the primary handler of a client that has the chain its <see cref="ResendCountPropagator"/>. A handler that shows no propagator, such as
/// <see cref="HttpClientHandler"/>, or that propagates nothing, is left as it is.
/// </summary>
internal sealed class ResendCountFilter : IHttpMessageHandlerBuilderFilter
{
    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
    {
        next(builder);
        if (builder.AdditionalHandlers.Any(h => h is RequestLoggingHandler))
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
            // It has sent requests already, so it is the application's own and shared with others; its spans stay as they are. Nothing tells this beforehand.
        }
    }
}
