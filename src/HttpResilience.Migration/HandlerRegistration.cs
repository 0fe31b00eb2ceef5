using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;

namespace HttpResilience.Migration;

/// <summary>
/// The registration of the standard handlers of a client among the services. Both calls add their handlers, and then an infinite
/// <see cref="HttpClient.Timeout"/>, which <c>AddResilienceHandler</c> does not: by that they are told from the pipelines of the
/// application.
/// </summary>
internal sealed class HandlerRegistration
{
    private readonly ServiceDescriptor[] _handlers;

    private HandlerRegistration(string? clientName, ServiceDescriptor[] handlers) => (ClientName, _handlers) = (clientName, handlers);

    /// <summary>The client; null for all clients.</summary>
    internal string? ClientName { get; }

    /// <summary>Finds the last registration for a client.</summary>
    /// <param name="name">The name of the client; empty also for all clients, which have none.</param>
    /// <param name="count">How many handlers it adds.</param>
    internal static HandlerRegistration? FindLast(IServiceCollection services, string name, int count)
    {
        for (int i = services.Count - 1; i >= 0; i--)
        {
            if (ConfigurationIn(services[i]) is { } configuration && (configuration.Name ?? "") == name
                && AddedBy(configuration).HttpClientActions.Any(IsOfPeer))
                return Before(services, i, configuration.Name, count);
        }

        return null;
    }

    /// <summary>Whether it is that of a standard handler which all clients have.</summary>
    internal static bool IsForAll(IConfigureOptions<HttpClientFactoryOptions> configuration) =>
        configuration is ConfigureNamedOptions<HttpClientFactoryOptions> { Name: null } named
            && AddedBy(named).HttpClientActions.Any(IsOfPeer);

    /// <summary>Removes the handlers, and registers the chain at their place.</summary>
    /// <param name="addChain">Registers it at the end.</param>
    internal void Replace(IServiceCollection services, Action addChain)
    {
        int place = services.IndexOf(_handlers[0]);
        foreach (var handler in _handlers)
            services.Remove(handler);
        HashSet<ServiceDescriptor> before = [.. services];
        addChain();
        // The chain of all clients has its place by itself, outside what all clients have.
        if (ClientName is null)
            return;
        var added = services.Where(d => d.ServiceType == typeof(IConfigureOptions<HttpClientFactoryOptions>) && !before.Contains(d));
        foreach (var chain in added.ToArray())
        {
            services.Remove(chain);
            // AddResilience may have inserted services before the place.
            services.Insert(place + services.Take(place).Count(d => !before.Contains(d)), chain);
        }
    }

    private static HandlerRegistration? Before(IServiceCollection services, int end, string? clientName, int count)
    {
        List<ServiceDescriptor> handlers = [];
        for (int i = end - 1; i >= 0 && handlers.Count < count; i--)
        {
            if (ConfigurationIn(services[i]) is { } configuration && configuration.Name == clientName
                && AddedBy(configuration).HttpMessageHandlerBuilderActions.Count == 1)
                handlers.Insert(0, services[i]);
        }

        return handlers.Count == count ? new(clientName, [.. handlers]) : null;
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

    private static bool IsOfPeer(Action<HttpClient> action) =>
        action.Method.DeclaringType?.Assembly == typeof(ResilienceHandler).Assembly;
}
