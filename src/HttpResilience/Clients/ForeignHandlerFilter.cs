using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Http.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>
/// Takes off what would do the chain's work a second time: the factory's own four log lines per attempt (unless they are wanted), and the
/// <c>ResilienceHandler</c> of Microsoft.Extensions.Http.Resilience, which <c>ConfigureHttpClientDefaults</c> may have put on.
/// </summary>
internal sealed class ForeignHandlerFilter(IServiceProvider services) : IHttpMessageHandlerBuilderFilter
{
    private const string MicrosoftResilienceHandler = "Microsoft.Extensions.Http.Resilience.ResilienceHandler";

    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
    {
        next(builder);
        if (!builder.AdditionalHandlers.Any(h => h is RequestLoggingHandler))
            return;

        var client = services.GetRequiredKeyedService<ClientState>(builder.Name ?? Options.DefaultName);
        if (!client.Policy.Logging.KeepFactoryLogging)
            Remove(builder, h => h is LoggingScopeHttpMessageHandler or LoggingHttpMessageHandler);
        if (Remove(builder, h => h.GetType().FullName == MicrosoftResilienceHandler))
            client.AnnounceForeignHandlerRemoved();
    };

    private static bool Remove(HttpMessageHandlerBuilder builder, Func<DelegatingHandler, bool> isForeign)
    {
        DelegatingHandler[] foreign = [.. builder.AdditionalHandlers.Where(isForeign)];
        foreach (var handler in foreign)
            builder.AdditionalHandlers.Remove(handler);
        return foreign.Length > 0;
    }
}
