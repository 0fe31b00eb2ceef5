using HttpResilience.AspNetCore;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the operator's page.</summary>
public static class HttpResilienceEndpointRouteBuilderExtensions
{
    extension(IEndpointRouteBuilder endpoints)
    {
        /// <summary>
        /// Maps the operator's page: letters that failed for good, why, and what can be done about them; clients, circuits, pauses,
        /// batches, alerts, and who did what. The JSON API is below it, at <c>api/v1</c>.
        /// It answers 403 everywhere until it is protected, by
        /// <c>.RequireAuthorization("staff")</c> or a fallback policy, or opened by <c>.AllowAnonymous()</c>; in Development it answers to
        /// the own machine.
        /// </summary>
        /// <param name="prefix">The path below which everything is. Default: <c>/resilience</c>.</param>
        /// <returns>What adds conventions to all of its endpoints, such as <c>.RequireAuthorization("staff")</c>.</returns>
        /// <exception cref="InvalidOperationException"><c>services.AddHttpResiliencePage()</c> is missing.</exception>
        public IEndpointConventionBuilder MapHttpResilience(string prefix = "/resilience")
        {
            ArgumentNullException.ThrowIfNull(endpoints);
            ArgumentException.ThrowIfNullOrWhiteSpace(prefix);
            var pipeline = endpoints.ServiceProvider.GetService<PagePipeline>() ?? throw new InvalidOperationException(
                "MapHttpResilience needs builder.Services.AddHttpResiliencePage(o => o.OperatePolicy = \"operators\").");
            var group = endpoints.MapGroup(prefix);
            // The page checks its tokens itself, so that the host needs no UseAntiforgery, and one of the host's does not come first.
            group.WithMetadata(NoAntiforgery.Instance);
            group.MapHttpResilienceApi("/api/v1");
            foreach (var path in PageOperations.All.ToLookup(o => o.Path))
            {
                PageOperation[] operations = [.. path];
                group.Map(path.Key, context => pipeline.RunAsync(context, path.Key, operations));
            }

            // Without it a host whose router has a catch-all would answer in the place of this page.
            group.Map("{**path}", context => pipeline.RunAsync(context, null, []));
            return group;
        }
    }

    private sealed class NoAntiforgery : IAntiforgeryMetadata
    {
        internal static NoAntiforgery Instance { get; } = new();

        public bool RequiresValidation => false;
    }
}
