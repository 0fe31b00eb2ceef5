using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>
/// Logs other resilience handlers that the chain has replaced or that repeat its requests; once per client, because the factory makes
/// handlers every two minutes.
/// </summary>
internal sealed partial class HandlerNotices(string clientName, ILogger logger)
{
    private bool _isRemoved;
    private bool _isRepeated;

    internal static HandlerNotices Of(IServiceProvider services, string httpClientName)
    {
        var client = services.GetRequiredKeyedService<Client>(httpClientName);
        return client.GetOrAdd(() => new HandlerNotices(client.Name, services.LoggerFor(client.Name, Client.LogCategory)));
    }

    /// <summary>
    /// Makes handlers of the clients when the host starts, so that its log begins with the warnings; only in a process that uses one of the
    /// packages. Not through the factory, which would throw the exception of a handler that cannot be made yet at every later call.
    /// </summary>
    internal static void LogAtStart(IServiceProvider services, IEnumerable<ResilientClient> clients)
    {
        if (!PeerHandlers.AreInUse)
            return;
        var names = clients.WithChain.Select(c => c.HttpClientName).OfType<string>();
        if (clients.WithChain.Any(c => c.HttpClientName is null))
            names = names.Concat(RegisteredNames(services));
        foreach (string name in names.Distinct().Where(clients.HaveChain))
        {
            try
            {
                LookAt(services, name);
            }
            catch (Exception)
            {
                // The application gets the exception of its handler when it creates the client itself.
            }
        }
    }

    internal void MicrosoftHandlerWasRemoved()
    {
        if (!Interlocked.Exchange(ref _isRemoved, true))
            ForeignHandlerRemoved(logger, clientName);
    }

    internal void WarnOfPeers(HttpMessageHandlerBuilder builder)
    {
        if (PeerHandlers.CallsOf(builder) is { Count: > 0 } calls && !Interlocked.Exchange(ref _isRepeated, true))
            RetriesMultiply(logger, clientName, string.Join(" and ", calls));
    }

    private static void LookAt(IServiceProvider services, string name)
    {
        using var scope = services.CreateScope();
        var builder = scope.ServiceProvider.GetRequiredService<HttpMessageHandlerBuilder>();
        builder.Name = name;
        foreach (var action in services.GetRequiredService<IOptionsMonitor<HttpClientFactoryOptions>>().Get(name)
            .HttpMessageHandlerBuilderActions)
            action(builder);
        if (builder.AdditionalHandlers.Any(h => h is ChainHandler))
            Of(services, name).WarnOfPeers(builder);
    }

    private static IEnumerable<string> RegisteredNames(IServiceProvider services) =>
        services.GetServices<IConfigureOptions<HttpClientFactoryOptions>>().OfType<ConfigureNamedOptions<HttpClientFactoryOptions>>()
            .Select(o => o.Name).OfType<string>();

    [LoggerMessage(404, LogLevel.Information,
        "{ClientName}: the chain takes the place of the Microsoft ResilienceHandler of ConfigureHttpClientDefaults, so that retries do not "
        + "multiply")]
    private static partial void ForeignHandlerRemoved(ILogger logger, string clientName);

    [LoggerMessage(420, LogLevel.Warning,
        "{ClientName}: {PeerCall} and AddResilientHttpClient (AddResilience) are on the same client, so retries multiply; remove one of "
        + "them")]
    private static partial void RetriesMultiply(ILogger logger, string clientName, string peerCall);
}
