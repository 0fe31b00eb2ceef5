using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience;

/// <summary>A client that has a chain.</summary>
/// <param name="HttpClientName">
/// Its name in <see cref="IHttpClientFactory"/>; null for all clients, by <c>ConfigureHttpClientDefaults</c>.
/// </param>
/// <param name="Type">Its type when it is a typed client that was registered with its chain.</param>
internal sealed record ResilientClient(string? HttpClientName, Type? Type = null)
{
    /// <summary>The name of its settings, state, letters and metrics.</summary>
    internal string? Name
    {
        get => field ?? HttpClientName;
        init;
    }

    /// <summary>The section of its settings that code has given it.</summary>
    internal IConfigurationSection? Section { get; init; }

    /// <summary>Its chain was removed.</summary>
    internal bool IsRemoved { get; init; }
}

/// <summary>The registered clients by their names.</summary>
internal static class RegisteredClients
{
    extension(IEnumerable<ResilientClient> clients)
    {
        /// <summary>Those that have the chain.</summary>
        internal IEnumerable<ResilientClient> WithChain => clients.Where(c => !c.IsRemoved);

        /// <summary>The chain that a client has by <c>ConfigureHttpClientDefaults</c> or on its own was removed.</summary>
        /// <param name="httpClientName">The client; null for all that have no chain of their own.</param>
        internal bool IsRemoved(string? httpClientName) => clients.Any(c => c.IsRemoved && c.HttpClientName == httpClientName);

        /// <summary>A client of the factory has the chain, its own or that of all clients.</summary>
        internal bool HaveChain(string httpClientName) => !clients.IsRemoved(httpClientName)
            && clients.WithChain.Any(c => c.HttpClientName is null || c.HttpClientName == httpClientName);

        /// <summary>A client of the factory has a chain that it does not share with all clients.</summary>
        internal bool HaveOwnChain(string? httpClientName) =>
            httpClientName is not null && clients.WithChain.Any(c => c.HttpClientName == httpClientName);

        /// <summary>The name that a client of the factory has for its settings is that of another client.</summary>
        /// <exception cref="InvalidOperationException">It is.</exception>
        internal void RefuseSharedName(string httpClientName)
        {
            string name = clients.SettingsNameOf(httpClientName);
            if (clients.HttpClientNameOf(name) is var other && other != httpClientName)
                throw SharedName(other, httpClientName, name);
        }

        /// <summary>The name of the settings and state of a client of the factory.</summary>
        internal string SettingsNameOf(string httpClientName) => clients.Of(httpClientName).FirstOrDefault()?.Name ?? httpClientName;

        /// <summary>The name in the factory of the client that has these settings.</summary>
        internal string HttpClientNameOf(string settingsName) =>
            clients.FirstOrDefault(c => c.Name == settingsName)?.HttpClientName ?? settingsName;

        /// <summary>The sections that code has given a client: those of all clients, then its own.</summary>
        internal IEnumerable<IConfigurationSection> SectionsOf(string httpClientName) =>
            clients.Of(null).Concat(clients.Of(httpClientName)).Select(c => c.Section).OfType<IConfigurationSection>().Distinct();

        private IEnumerable<ResilientClient> Of(string? httpClientName) => clients.WithChain.Where(c => c.HttpClientName == httpClientName);
    }

    extension(IServiceCollection services)
    {
        /// <summary>The registered clients, as far as they are known yet.</summary>
        internal IEnumerable<ResilientClient> ResilientClients =>
            services.Select(d => d.IsKeyedService ? null : d.ImplementationInstance).OfType<ResilientClient>();

        /// <summary>Adds a client that has the chain, unless it is there.</summary>
        /// <returns>False when it is there.</returns>
        internal bool TryAddResilientClient(string? httpClientName, string? settingsName)
        {
            if (settingsName is null)
                OperationsPackage.RefuseNameOfAlerts(httpClientName);
            if (services.ResilientClients.WithChain.Any(c => c.HttpClientName == httpClientName))
                return false;
            services.ChangeResilientClient(httpClientName, _ => null);
            services.AddSingleton(services.Checked(new ResilientClient(httpClientName)));
            return true;
        }

        /// <summary>Changes the registrations of a client.</summary>
        /// <param name="change">Returns null to remove the registration.</param>
        internal void ChangeResilientClient(string? httpClientName, Func<ResilientClient, ResilientClient?> change)
        {
            foreach (var before in services.ResilientClients.Where(c => c.HttpClientName == httpClientName).ToArray())
            {
                var descriptor = services.Single(d => ReferenceEquals(d.ImplementationInstance, before));
                if (change(before) is { } after)
                    services[services.IndexOf(descriptor)] = ServiceDescriptor.Singleton(services.Checked(after));
                else
                    services.Remove(descriptor);
            }
        }

        private ResilientClient Checked(ResilientClient client) =>
            services.ResilientClients.FirstOrDefault(c =>
                c.Name is not null && c.Name == client.Name && c.HttpClientName != client.HttpClientName) is not { } other ? client
                : throw SharedName(other.HttpClientName, client.HttpClientName, client.Name!);
    }

    private static InvalidOperationException SharedName(string? first, string? second, string name) => new(
        $"Clients '{first}' and '{second}' cannot share the name '{name}': state and dead letters are kept by it. Give each a name, and "
        + "both one section: AddResilience(name).AddResilience(section).");
}
