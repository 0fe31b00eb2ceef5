using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>
/// Creates the options of the factory's clients as the platform does, and marks the actions that add handlers to all clients
/// (<c>ConfigureHttpClientDefaults</c>): the chain stands outside of those. Each configuration of the application runs once.
/// </summary>
/// <param name="services">The root container.</param>
internal sealed class HandlerOptionsFactory(IServiceProvider services) : OptionsFactory<HttpClientFactoryOptions>(
    services.GetServices<IConfigureOptions<HttpClientFactoryOptions>>().Select(c => IsForAllClients(c) ? new Marking(c) : c),
    // Last, so that it completes what the application has configured afterwards.
    [.. services.GetServices<IPostConfigureOptions<HttpClientFactoryOptions>>(), new CompleteResilientClient(services)],
    services.GetServices<IValidateOptions<HttpClientFactoryOptions>>())
{
    internal static bool IsForAllClients(Action<HttpMessageHandlerBuilder> action) => action.Target is ActionForAllClients;

    // A class of the application configures every client; the platform's wrapper of a delegate has a client's name, or null for all.
    private static bool IsForAllClients(IConfigureOptions<HttpClientFactoryOptions> configure) => configure switch
    {
        ConfigureNamedOptions<HttpClientFactoryOptions> { Name: var name } => name is null,
        IConfigureNamedOptions<HttpClientFactoryOptions> => configure.GetType().Assembly != typeof(Options).Assembly,
        _ => false,
    };

    private sealed class Marking(IConfigureOptions<HttpClientFactoryOptions> inner) : IConfigureNamedOptions<HttpClientFactoryOptions>
    {
        public void Configure(HttpClientFactoryOptions options) => Configure(Options.DefaultName, options);

        public void Configure(string? name, HttpClientFactoryOptions options)
        {
            var actions = options.HttpMessageHandlerBuilderActions;
            List<Action<HttpMessageHandlerBuilder>> before = [.. actions];
            ((IConfigureNamedOptions<HttpClientFactoryOptions>)inner).Configure(name, options);
            for (int i = 0; i < actions.Count; i++)
            {
                int known = before.FindIndex(action => ReferenceEquals(action, actions[i]));
                if (known < 0)
                    actions[i] = new ActionForAllClients(actions[i]).Run;
                else
                    before.RemoveAt(known);
            }
        }
    }

    private sealed class ActionForAllClients(Action<HttpMessageHandlerBuilder> action)
    {
        internal void Run(HttpMessageHandlerBuilder builder) => action(builder);
    }
}
