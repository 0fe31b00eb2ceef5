using HttpResilience;
using Microsoft.Extensions.Configuration;

namespace Microsoft.Extensions.DependencyInjection;

public static partial class HttpResilienceServiceCollectionExtensions
{
    extension(IHttpClientBuilder builder)
    {
        /// <summary>
        /// Gives the client the chain, and its settings, state, dead letters and metrics a name of their own:
        /// <c>HttpResilience:Clients:&lt;settingsName&gt;</c>. For clients whose generated name in <see cref="IHttpClientFactory"/> is
        /// hard to write in a configuration or changes with a version, such as those of Refit, NSwag and Kiota.
        /// </summary>
        /// <param name="settingsName">The name, of this client only.</param>
        /// <returns>The same builder. Handlers added after this come after the chain and run once per attempt.</returns>
        /// <exception cref="ArgumentException">The name is empty.</exception>
        /// <exception cref="InvalidOperationException">
        /// Another client has the name, or the builder is that of <c>ConfigureHttpClientDefaults</c>.
        /// </exception>
        public IHttpClientBuilder AddResilience(string settingsName)
        {
            ArgumentNullException.ThrowIfNull(builder);
            ArgumentException.ThrowIfNullOrWhiteSpace(settingsName);
            if (builder.Name is null)
            {
                throw new InvalidOperationException(
                    $"All clients cannot share the name '{settingsName}': state and dead letters are kept by it. Call AddResilience().");
            }

            builder.AddChain(configure: null, settingsName);
            builder.Services.ChangeResilientClient(builder.Name, client => client with { Name = settingsName });
            return builder;
        }

        /// <summary>
        /// Gives the client the chain, with the settings of a section of the application's own; it is checked and reloaded like the ones
        /// below <c>HttpResilience</c>. It is read after <c>HttpResilience:Defaults</c> and <c>HttpResilience:Clients:&lt;name&gt;</c>, and
        /// code overrides it.
        /// </summary>
        /// <param name="section">The section; of several calls the last one counts.</param>
        /// <returns>The same builder. Handlers added after this come after the chain and run once per attempt.</returns>
        public IHttpClientBuilder AddResilience(IConfigurationSection section)
        {
            ArgumentNullException.ThrowIfNull(builder);
            ArgumentNullException.ThrowIfNull(section);
            builder.AddResilience();
            builder.Services.ChangeResilientClient(builder.Name, client => client with { Section = section });
            return builder;
        }

        /// <summary>
        /// Takes the chain off the client, also the one that <c>ConfigureHttpClientDefaults</c> gives to all, whatever the order of the
        /// calls. A later <c>AddResilience</c> on this client gives it back.
        /// </summary>
        /// <returns>The same builder.</returns>
        public IHttpClientBuilder RemoveResilience()
        {
            ArgumentNullException.ThrowIfNull(builder);
            builder.Services.ChangeResilientClient(builder.Name, _ => null);
            builder.Services.AddSingleton(new ResilientClient(builder.Name) { IsRemoved = true });
            return builder;
        }
    }
}
