using System.Net.Http.Metrics;

namespace HttpResilience;

/// <summary>
/// Tells the platform's own metric and spans which attempt of a call they are about (<c>http.request.resend_count</c> of the OpenTelemetry semantic
/// conventions for HTTP), from the second one on.
/// </summary>
internal static class Resend
{
    /// <summary>Another attempt of a call begins; in the flow of the attempt.</summary>
    internal static void Begin(TimeProvider time, ResilienceMeter meter, HttpCall call, HttpRequestMessage request)
    {
        call.CountResends(call.AttemptCount);
        if (meter.PlatformDuration.IsHeard)
            Enrich(call, request);
        CallSpan.Enter(time, call, request, request);
    }

    /// <summary>Copies of a request are about to be sent side by side. Later it would be too late: they share their callbacks.</summary>
    internal static void WillCopy(ResilienceMeter meter, HttpCall call, HttpRequestMessage request)
    {
        if (meter.PlatformDuration.MayBeHeard)
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
        // The platform forgets its callbacks with every measurement; redirects and further attempts send the same message again.
        HttpMetricsEnrichmentContext.AddCallback(context.Request, AddTag);
    }
}
