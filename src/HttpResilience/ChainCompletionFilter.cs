using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Http.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>
/// Completes a client with the chain: removes the factory's own four log lines per attempt (unless <c>Logging:KeepFactoryLogging</c> is
/// set), adds the innermost stage, the propagator, and the handler that limits scopes. It is a filter because the application's
/// filters may add handlers or replace the primary one; without filters, <see cref="CompleteInstead"/> is sufficient.
/// </summary>
internal sealed class ChainCompletionFilter(IServiceProvider services) : IHttpMessageHandlerBuilderFilter
{
    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
    {
        bool replays = ReplayPipeline.TryRename(builder);
        next(builder);
        Complete(builder, services, replays);
    };

    /// <summary>For an application that has removed all filters, such as those of the factory's logging.</summary>
    internal static void CompleteInstead(HttpMessageHandlerBuilder builder, IServiceProvider services, bool replays)
    {
        if (!services.GetServices<IHttpMessageHandlerBuilderFilter>().Any(f => f is ChainCompletionFilter))
            Complete(builder, services, replays);
    }

    private static void Complete(HttpMessageHandlerBuilder builder, IServiceProvider services, bool replays)
    {
        var handlers = builder.AdditionalHandlers;
        if (!handlers.Any(h => h is ChainHandler))
            return;

        string clientName = builder.Name ?? Options.DefaultName;
        var client = services.GetRequiredKeyedService<Client>(clientName);
        if (!client.Policy.Logging.KeepFactoryLogging)
        {
            foreach (var logging in handlers.Where(h => h is LoggingScopeHttpMessageHandler or LoggingHttpMessageHandler).ToArray())
                handlers.Remove(logging);
        }

        HandlerNotices.Of(services, clientName).WarnOfPeers(builder);
        ResendCountPropagator.AddTo(builder.PrimaryHandler);
        HideContext(builder);
        AddInnermostStage(builder, client);
        if (handlers[0] is not ChainHandler)
            handlers.Insert(0, new CallScopeHandler(client.Name));
        if (replays)
            ReplayPipeline.Of(client, services).Complete(builder);
        else
            ReplayPipeline.Mark(builder.PrimaryHandler);
    }

    private static void HideContext(HttpMessageHandlerBuilder builder)
    {
        var handlers = builder.AdditionalHandlers;
        int inside = handlers.IndexOf(handlers.Last(h => h is ChainHandler)) + 1;
        if (PeerHandlers.HaveMicrosoftResilience(handlers.Skip(inside), builder.PrimaryHandler))
            handlers.Insert(inside, new AttemptContextHandler());
    }

    // Without handlers of the application inside the chain, its last stage sees the primary handler itself.
    private static void AddInnermostStage(HttpMessageHandlerBuilder builder, Client client)
    {
        if (builder.PrimaryHandler is WireHandler)
            return;

        AddInside(builder.PrimaryHandler, client);
        if (builder.AdditionalHandlers is not [.., ChainHandler] || builder.AdditionalHandlers.Any(h => h is FallbackHandler))
            builder.PrimaryHandler = new WireHandler(client) { InnerHandler = builder.PrimaryHandler };
    }

    // A primary handler may itself be a handler of the application, around the one that sends.
    private static void AddInside(HttpMessageHandler primary, Client client)
    {
        DelegatingHandler? outer = null;
        for (; primary is DelegatingHandler { InnerHandler: { } inner } handler and not WireHandler; primary = inner)
            outer = handler;
        if (outer is null || primary is WireHandler)
            return;

        try
        {
            outer.InnerHandler = new WireHandler(client, captures: false) { InnerHandler = primary };
        }
        catch (InvalidOperationException)
        {
            // A handler that the application shares has sent a request already, and cannot be changed.
        }
    }
}
