using System.Diagnostics;

namespace HttpResilience;

/// <summary>
/// Wraps the propagator of a <see cref="SocketsHttpHandler"/>, which gets the span of each attempt together with its request: the only
/// place outside the platform that knows both, and it needs no listener.
/// </summary>
internal sealed class ResendCountPropagator(DistributedContextPropagator inner) : DistributedContextPropagator
{
    private const string SpanOfRequest = "System.Net.Http.HttpRequestOut";

    /// <summary>
    /// Wraps the propagator of a primary handler; one without a propagator, such as <see cref="HttpClientHandler"/>, stays unchanged.
    /// </summary>
    internal static void AddTo(HttpMessageHandler? primary)
    {
        while (primary is DelegatingHandler { InnerHandler: { } inner })
            primary = inner;
        if (OperatingSystem.IsBrowser()
            || primary is not SocketsHttpHandler { ActivityHeadersPropagator: { } propagator and not ResendCountPropagator } sockets)
            return;

        try
        {
            sockets.ActivityHeadersPropagator = new ResendCountPropagator(propagator);
        }
        catch (InvalidOperationException)
        {
            // The handler has already sent requests: the application shares it, and its spans stay unchanged. This cannot be detected
            // beforehand.
        }
    }

    public override IReadOnlyCollection<string> Fields => inner.Fields;

    public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter)
    {
        if (activity is { IsAllDataRequested: true, OperationName: SpanOfRequest } && carrier is HttpRequestMessage request
            && request.Options.TryGetValue(HttpCall.Key, out var call))
        {
            if (call.ResendCount > 0)
                activity.SetTag(TelemetryTags.ResendCount, (int)call.ResendCount);
            else
                CallSpan.FirstAttempt(request, activity);
        }

        inner.Inject(activity, carrier, setter);
    }

    public override void ExtractTraceIdAndState(
        object? carrier, PropagatorGetterCallback? getter, out string? traceId, out string? traceState) =>
        inner.ExtractTraceIdAndState(carrier, getter, out traceId, out traceState);

    public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(object? carrier, PropagatorGetterCallback? getter) =>
        inner.ExtractBaggage(carrier, getter);
}
