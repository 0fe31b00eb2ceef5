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
        bool isNeeded = handlers.Any(h => h is FallbackHandler)
            || (handlers.Any(h => h is ChainHandler) && handlers is not [.., ChainHandler]);
        if (isNeeded && builder.PrimaryHandler is not WireHandler)
        {
            builder.PrimaryHandler = new WireHandler(services.GetRequiredKeyedService<Client>(builder.Name ?? Options.DefaultName))
            {
                InnerHandler = builder.PrimaryHandler,
            };
        }
    }
}
