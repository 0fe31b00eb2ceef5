using HttpResilience.AspNetCore;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the JSON API for operators.</summary>
public static class HttpResilienceApiEndpointRouteBuilderExtensions
{
    extension(IEndpointRouteBuilder endpoints)
    {
        /// <summary>
        /// Maps the JSON API for operators: dead letters, their groups and counts, clients and circuits of this instance. It answers 403
        /// everywhere until it is protected, by <c>.RequireAuthorization("staff")</c> or a fallback policy, or opened by
        /// <c>.AllowAnonymous()</c>; in Development it answers to the own machine. Its OpenAPI document is at <c>openapi.json</c> below the
        /// prefix.
        /// </summary>
        /// <param name="prefix">The path below which all of its addresses are. Default: <c>/resilience/api/v1</c>.</param>
        /// <returns>What adds conventions to all of its endpoints, such as <c>.RequireAuthorization("staff")</c>.</returns>
        /// <exception cref="InvalidOperationException"><c>services.AddHttpResilienceApi()</c> is missing.</exception>
        public IEndpointConventionBuilder MapHttpResilienceApi(string prefix = "/resilience/api/v1")
        {
            ArgumentNullException.ThrowIfNull(endpoints);
            ArgumentException.ThrowIfNullOrWhiteSpace(prefix);
            var pipeline = endpoints.ServiceProvider.GetService<ApiPipeline>() ?? throw new InvalidOperationException(
                "MapHttpResilienceApi needs builder.Services.AddHttpResilienceApi(o => o.OperatePolicy = \"operators\").");
            var group = endpoints.MapGroup(prefix);
            foreach (var path in ApiOperations.All.ToLookup(o => o.Path))
            {
                ApiOperation[] operations = [.. path];
                group.Map(path.Key, context => pipeline.RunAsync(context, operations)).WithMetadata(operations);
            }

            // Without it a host whose router has a catch-all would answer in the place of this API.
            group.Map("{**path}", context => pipeline.RunAsync(context, []));
            return group;
        }
    }
}
