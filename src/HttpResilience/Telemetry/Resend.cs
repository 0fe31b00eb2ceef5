using System.Net.Http.Metrics;

namespace HttpResilience;

/// <summary>
/// Adds the number of the attempt (<c>http.request.resend_count</c> of the OpenTelemetry semantic conventions for HTTP) to the platform's
/// metric and spans, from the second attempt on.
/// </summary>
internal static class Resend
{
    /// <summary>Prepares another attempt of a call; runs in the execution context of the attempt.</summary>
    internal static void Begin(TimeProvider time, ResilienceMeter meter, HttpCall call, HttpRequestMessage request)
    {
        call.CountResends(call.AttemptCount);
        if (meter.PlatformDuration.IsEnabled)
            Enrich(call, request);
        CallSpan.Enter(time, call, request, request);
    }

    /// <summary>Prepares a request for concurrent copies. Must run before copying, because copies share callbacks.</summary>
    internal static void WillCopy(ResilienceMeter meter, HttpCall call, HttpRequestMessage request)
    {
        if (meter.PlatformDuration.MayBeEnabled)
            Enrich(call, request);
    }

    private static void Enrich(HttpCall call, HttpRequestMessage request)
    {
        if (call.MetricIsEnriched)
            return;
        call.MetricIsEnriched = true;
        HttpMetricsEnrichmentContext.AddCallback(request, AddTag);
    }

    private static void AddTag(HttpMetricsEnrichmentContext context)
    {
        if (!context.Request.Options.TryGetValue(HttpCall.Key, out var call))
            return;
        if (call.ResendCount > 0)
            context.AddCustomTag(TelemetryTags.ResendCount, (int)call.ResendCount);
        // The platform removes callbacks after each measurement; redirects and further attempts send the same message again.
        HttpMetricsEnrichmentContext.AddCallback(context.Request, AddTag);
    }
}
