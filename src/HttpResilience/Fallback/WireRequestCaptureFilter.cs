using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>
/// Adds the <see cref="WireRequestCaptureHandler"/> as the innermost handler of a client with a <see cref="FallbackHandler"/>.
/// </summary>
internal sealed class WireRequestCaptureFilter(IServiceProvider services) : IHttpMessageHandlerBuilderFilter
{
    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
    {
        next(builder);
        if (!builder.AdditionalHandlers.Any(h => h is FallbackHandler))
            return;

        var client = services.GetRequiredKeyedService<Client>(builder.Name ?? Options.DefaultName);
        builder.AdditionalHandlers.Add(new WireRequestCaptureHandler(builder.PrimaryHandler, client.Time));
    };
}
