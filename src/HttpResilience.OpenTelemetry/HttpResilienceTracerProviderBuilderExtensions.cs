namespace OpenTelemetry.Trace;

/// <summary>The spans of clients with the resilience chain.</summary>
public static class HttpResilienceTracerProviderBuilderExtensions
{
    private const string Source = "HttpResilience";

    extension(TracerProviderBuilder builder)
    {
        /// <summary>
        /// Collects the spans of HttpResilience: one for each call with more than one attempt, the parent of the attempts from the second
        /// on. The spans of single attempts are the platform's: <c>AddHttpClientInstrumentation()</c> or
        /// <c>AddSource("System.Net.Http")</c>, in any order. Adding it twice changes nothing.
        /// </summary>
        /// <returns>The same builder.</returns>
        /// <exception cref="ArgumentNullException">The builder is null.</exception>
        public TracerProviderBuilder AddHttpResilienceInstrumentation()
        {
            ArgumentNullException.ThrowIfNull(builder);
            return builder.AddSource(Source);
        }
    }
}
