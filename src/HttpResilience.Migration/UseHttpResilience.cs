using HttpResilience;
using HttpResilience.Migration;
using Microsoft.Extensions.Http.Resilience;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Puts the chain in the place of the handlers of Microsoft.Extensions.Http.Resilience.</summary>
public static class HttpResilienceMigrationExtensions
{
    extension(IHttpStandardResiliencePipelineBuilder builder)
    {
        /// <summary>
        /// Puts the chain in the place of <c>AddStandardResilienceHandler</c>. It takes over its options, the delegates among them, and
        /// their reloads: timeouts, attempts and waits as they are in force; circuit and rate limiter where they differ from Microsoft's
        /// defaults.
        /// </summary>
        /// <param name="configure">
        /// Runs last. <c>HttpResilience:Clients:&lt;name&gt;</c> and <c>HttpResilience:Defaults</c> run before it, and override what was
        /// taken over. Default: none.
        /// </param>
        /// <param name="report">
        /// True: nothing is changed yet; when the host starts, or else when the client is first created, one Information record has a table
        /// of what will differ. Default false.
        /// </param>
        /// <returns>The builder of the client.</returns>
        /// <exception cref="ArgumentNullException">The builder is null.</exception>
        /// <exception cref="InvalidOperationException">The handler was not found among what is registered for the client.</exception>
        /// <remarks>
        /// An option that has no counterpart is an error at start, which says what to do: <c>BreakDurationGenerator</c>,
        /// <c>ManualControl</c>, <c>StateProvider</c>, <c>Randomizer</c>. Pipelines of <c>AddResilienceHandler</c> stay where they are.
        /// </remarks>
        public IHttpClientBuilder UseHttpResilience(Action<HttpResilienceOptions>? configure = null, bool report = false)
        {
            ArgumentNullException.ThrowIfNull(builder);
            return Takeover.Of(builder).Apply(configure, report);
        }
    }

    extension(IStandardHedgingHandlerBuilder builder)
    {
        /// <summary>
        /// Puts the chain in the place of <c>AddStandardHedgingHandler</c>: its timeouts, its hedging, and its groups of endpoints
        /// (<c>Endpoints</c>).
        /// </summary>
        /// <inheritdoc cref="UseHttpResilience(IHttpStandardResiliencePipelineBuilder, Action{HttpResilienceOptions}, bool)"/>
        public IHttpClientBuilder UseHttpResilience(Action<HttpResilienceOptions>? configure = null, bool report = false)
        {
            ArgumentNullException.ThrowIfNull(builder);
            return Takeover.Of(builder).Apply(configure, report);
        }
    }
}
