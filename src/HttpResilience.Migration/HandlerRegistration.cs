using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;

namespace HttpResilience.Migration;

/// <summary>
/// The registration of the standard handlers of a client among the services. Both calls add their handlers, and then an infinite
/// <see cref="HttpClient.Timeout"/>; the application's own pipelines (<c>AddResilienceHandler</c>) have none.
/// </summary>
internal sealed class HandlerRegistration
{
    private const string HedgingCall = "AddStandardHedgingHandler";

    private readonly ServiceDescriptor[] _handlers;
    private readonly ServiceDescriptor _timeout;

    private HandlerRegistration(string? clientName, ServiceDescriptor[] handlers, ServiceDescriptor timeout) =>
        (ClientName, _handlers, _timeout) = (clientName, handlers, timeout);

    /// <summary>The client; null for all clients.</summary>
    internal string? ClientName { get; }

    /// <summary>Finds the last registration for a client.</summary>
    /// <param name="name">The name of the client; empty also for all clients, which have none.</param>
    /// <param name="isHedging">That of <c>AddStandardHedgingHandler</c>.</param>
    internal static HandlerRegistration? FindLast(IServiceCollection services, string name, bool isHedging)
    {
        for (int i = services.Count - 1; i >= 0; i--)
        {
            if (ConfigurationIn(services[i]) is { } configuration && (configuration.Name ?? "") == name
                && AddedBy(configuration).HttpClientActions.Any(action => IsOfPeer(action) && IsHedging(action) == isHedging))
                return Before(services, i, configuration.Name, isHedging);
        }

        return null;
    }

    /// <summary>Whether it is that of a standard handler which all clients have.</summary>
    internal static bool IsForAll(IConfigureOptions<HttpClientFactoryOptions> configuration) =>
        configuration is ConfigureNamedOptions<HttpClientFactoryOptions> { Name: null } named
            && AddedBy(named).HttpClientActions.Any(IsOfPeer);

    /// <summary>Whether it is the infinite timeout that a standard handler needs.</summary>
    internal static bool IsOfPeer(Action<HttpClient> action) =>
        action.Method.DeclaringType?.Assembly == typeof(ResilienceHandler).Assembly;

    /// <summary>Removes the handlers, and registers the chain at their place.</summary>
    /// <param name="addChain">Registers it at the end.</param>
    internal void Replace(IServiceCollection services, Action addChain)
    {
        foreach (var handler in _handlers)
            services.Remove(handler);
        HashSet<ServiceDescriptor> before = [.. services];
        addChain();
        // The chain of all clients has its place by itself, outside what all clients have.
        if (ClientName is not null)
        {
            var added = services.Where(d => d.ServiceType == typeof(IConfigureOptions<HttpClientFactoryOptions>) && !before.Contains(d));
            foreach (var chain in added.ToArray())
            {
                services.Remove(chain);
                services.Insert(services.IndexOf(_timeout), chain);
            }
        }

        // Marks a handler that is not replaced yet.
        services.Remove(_timeout);
    }

    private static HandlerRegistration? Before(IServiceCollection services, int end, string? clientName, bool isHedging)
    {
        // When hedging, one handler around the attempts, and one inside.
        int count = isHedging ? 2 : 1;
        List<ServiceDescriptor> handlers = [];
        for (int i = end - 1; i >= 0 && handlers.Count < count; i--)
        {
            if (ConfigurationIn(services[i]) is { } configuration && configuration.Name == clientName
                && AddedBy(configuration).HttpMessageHandlerBuilderActions.Count == 1)
                handlers.Insert(0, services[i]);
        }

        return handlers.Count == count ? new(clientName, [.. handlers], services[end]) : null;
    }

    private static ConfigureNamedOptions<HttpClientFactoryOptions>? ConfigurationIn(ServiceDescriptor descriptor) =>
        descriptor.IsKeyedService ? null : descriptor.ImplementationInstance as ConfigureNamedOptions<HttpClientFactoryOptions>;

    // What the platform's own builder methods add; a delegate of the application is not run.
    private static HttpClientFactoryOptions AddedBy(ConfigureNamedOptions<HttpClientFactoryOptions> configuration)
    {
        var added = new HttpClientFactoryOptions();
        if (configuration.Action?.Method.DeclaringType?.Assembly == typeof(HttpClientFactoryOptions).Assembly)
            configuration.Action(added);
        return added;
    }

    // The compiler names a lambda after the method that it is in.
    private static bool IsHedging(Action<HttpClient> action) => action.Method.Name.Contains(HedgingCall, StringComparison.Ordinal);
}
