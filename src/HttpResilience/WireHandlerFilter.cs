using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>
/// Adds the <see cref="WireHandler"/> after the filters of the application, which may add handlers or replace the primary one.
/// </summary>
internal sealed class WireHandlerFilter(IServiceProvider services) : IHttpMessageHandlerBuilderFilter
{
    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
    {
        next(builder);
        AddStage(builder, services);
    };

    /// <summary>For an application that has removed all filters, such as those of the factory's logging.</summary>
    internal static void AddStageInstead(HttpMessageHandlerBuilder builder, IServiceProvider services)
    {
        if (!services.GetServices<IHttpMessageHandlerBuilderFilter>().Any(f => f is WireHandlerFilter))
            AddStage(builder, services);
    }

    // Without handlers of the application inside the chain, its last stage sees the primary handler itself.
    private static void AddStage(HttpMessageHandlerBuilder builder, IServiceProvider services)
    {
        var handlers = builder.AdditionalHandlers;
        if (builder.PrimaryHandler is WireHandler || !handlers.Any(h => h is ChainHandler))
            return;

        var client = services.GetRequiredKeyedService<Client>(builder.Name ?? Options.DefaultName);
        AddInside(builder.PrimaryHandler, client);
        if (handlers is not [.., ChainHandler] || handlers.Any(h => h is FallbackHandler))
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
