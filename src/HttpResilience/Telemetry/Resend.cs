using System.Net.Http.Metrics;

namespace HttpResilience;

/// <summary>
/// Tells the platform's own metric and spans which attempt of a call they are about (<c>http.request.resend_count</c> of the OpenTelemetry semantic
/// conventions for HTTP), from the second one on.
/// </summary>
internal static class Resend
{
    private static readonly Action<HttpMetricsEnrichmentContext> AddTag = static context =>
    {
        if (!context.Request.Options.TryGetValue(HttpCall.Key, out var call))
            return;
        // The platform forgets its callbacks with every measurement.
        call.MetricIsEnriched = false;
        if (call.ResendCount > 0)
            context.AddCustomTag(TelemetryTags.ResendCount, (int)call.ResendCount);
    };

    /// <summary>Another attempt of a call begins; in the flow of the attempt.</summary>
    internal static void Begin(ClientState client, HttpCall call, HttpRequestMessage request)
    {
        call.ResendCount = Count(call.AttemptCount);
        Enrich(client, call, request);
        CallSpan.Enter(client, call, request, request);
    }

    /// <summary>Has the measurement of a message, and of copies that are made of it, tell the resend count of its call.</summary>
    internal static void Enrich(ClientState client, HttpCall call, HttpRequestMessage request)
    {
        if (call.MetricIsEnriched || !client.Meter.PlatformDuration.IsHeard)
            return;
        call.MetricIsEnriched = true;
        HttpMetricsEnrichmentContext.AddCallback(request, AddTag);
    }

    /// <summary>As many as a tag shall have values.</summary>
    internal static byte Count(int sendsBefore) => (byte)Math.Min(sendsBefore, byte.MaxValue);
}
