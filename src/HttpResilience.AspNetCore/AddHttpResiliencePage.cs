using System.Diagnostics.CodeAnalysis;
using HttpResilience;
using HttpResilience.AspNetCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds what the operator's page needs.</summary>
public static class HttpResiliencePageServiceCollectionExtensions
{
    private const string NoTrimming =
        "The operator's page is made of Razor components, which need reflection. A trimmed application maps the JSON API alone "
        + "(MapHttpResilienceApi), and is operated by the tool http-resilience with --url.";

    extension(IServiceCollection services)
    {
        /// <summary>
        /// Adds what <c>app.MapHttpResilience()</c> needs: the page for operators, and the JSON API below it. Called again, it applies one
        /// more <paramref name="configure"/>.
        /// </summary>
        /// <param name="configure">Sets the options. Default: every change is refused.</param>
        /// <returns>The same collection.</returns>
        [RequiresUnreferencedCode(NoTrimming)]
        [RequiresDynamicCode(NoTrimming)]
        public IServiceCollection AddHttpResiliencePage(Action<HttpResiliencePageOptions>? configure = null)
        {
            services.AddHttpResilienceApi();
            services.AddRazorComponents();
            services.AddAntiforgery();
            services.AddOptions<HttpResiliencePageOptions>();
            if (configure is not null)
                services.Configure(configure);
            // The API below the page has the same rules.
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<HttpResilienceApiOptions>, ConfigureApiOfPage>());
            services.TryAddEnumerable(ServiceDescriptor.Singleton<CallObserver, RecentCalls>());
            services.TryAddSingleton<PagePipeline>();
            return services;
        }
    }
}
