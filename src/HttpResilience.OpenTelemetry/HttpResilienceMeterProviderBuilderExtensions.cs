namespace OpenTelemetry.Metrics;

/// <summary>The metrics of clients with the resilience chain.</summary>
public static class HttpResilienceMeterProviderBuilderExtensions
{
    private const string Meter = "HttpResilience";

    extension(MeterProviderBuilder builder)
    {
        /// <summary>
        /// Collects the metrics of HttpResilience: of calls, retries, circuits, limits and dead letters and, with
        /// <c>AddHttpResilienceOperations</c>, of error budgets. Those of single attempts are the platform's:
        /// <c>AddHttpClientInstrumentation()</c> or <c>AddMeter("System.Net.Http")</c>, in any order. No view is added: the histograms
        /// bring their bucket boundaries. Adding it twice changes nothing.
        /// </summary>
        /// <returns>The same builder.</returns>
        /// <exception cref="ArgumentNullException">The builder is null.</exception>
        public MeterProviderBuilder AddHttpResilienceInstrumentation()
        {
            ArgumentNullException.ThrowIfNull(builder);
            return builder.AddMeter(Meter);
        }
    }
}
