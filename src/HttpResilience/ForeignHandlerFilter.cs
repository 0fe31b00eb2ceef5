using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Http.Logging;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>
/// Removes handlers that would repeat the chain's work: the factory's own four log lines per attempt (unless
/// <c>Logging:KeepFactoryLogging</c> is set), and the <c>ResilienceHandler</c> of Microsoft.Extensions.Http.Resilience, which
/// <c>ConfigureHttpClientDefaults</c> may have added.
/// </summary>
internal sealed partial class ForeignHandlerFilter(IServiceProvider services) : IHttpMessageHandlerBuilderFilter
{
    private const string MicrosoftResilienceHandler = "Microsoft.Extensions.Http.Resilience.ResilienceHandler";

    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
    {
        next(builder);
        if (!builder.AdditionalHandlers.Any(h => h is RequestLoggingHandler))
            return;

        var client = services.GetRequiredKeyedService<Client>(builder.Name ?? Options.DefaultName);
        if (!client.Policy.Logging.KeepFactoryLogging)
            Remove(builder, h => h is LoggingScopeHttpMessageHandler or LoggingHttpMessageHandler);
        if (Remove(builder, h => h.GetType().FullName == MicrosoftResilienceHandler))
            NotifyOnce(client);
    };

    // The factory makes new handlers every two minutes.
    private void NotifyOnce(Client client)
    {
        if (ForeignHandlerRemoval.Of(client).Mark())
            ForeignHandlerRemoved(services.LoggerFor(client.Name, Client.LogCategory), client.Name);
    }

    private static bool Remove(HttpMessageHandlerBuilder builder, Func<DelegatingHandler, bool> isForeign)
    {
        DelegatingHandler[] foreign = [.. builder.AdditionalHandlers.Where(isForeign)];
        foreach (var handler in foreign)
            builder.AdditionalHandlers.Remove(handler);
        return foreign.Length > 0;
    }

    [LoggerMessage(404, LogLevel.Information, "{ClientName}: a Microsoft ResilienceHandler was removed, so that retries do not multiply")]
    private static partial void ForeignHandlerRemoved(ILogger logger, string clientName);
}
