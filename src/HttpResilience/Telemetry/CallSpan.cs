using System.Diagnostics;

namespace HttpResilience;

/// <summary>
/// The span of a call with more than one attempt. It is created when the second attempt starts, backdated to the start of the call, as the
/// parent of the spans of later attempts; the span of the first attempt has ended by then and is linked.
/// </summary>
internal static class CallSpan
{
    internal const string SourceName = "HttpResilience";

    private static readonly ActivitySource Source = new(SourceName, TelemetryTags.Version);
    private static readonly HttpRequestOptionsKey<Activity> Key = new("HttpResilience.CallSpan");
    private static readonly HttpRequestOptionsKey<Activity> FirstAttemptKey = new("HttpResilience.FirstAttempt");

    /// <summary>The span of a call; null when it has none.</summary>
    internal static Activity? Of(HttpCall call, HttpRequestMessage request) =>
        call.IsTraced && request.Options.TryGetValue(Key, out var span) ? span : null;

    /// <summary>Records the span of a first attempt, in case of a second one.</summary>
    internal static void FirstAttempt(HttpRequestMessage request, Activity attempt)
    {
        if (Source.HasListeners())
            request.Options.Set(FirstAttemptKey, attempt);
    }

    /// <summary>Makes the span the current activity of an attempt, and creates it the first time.</summary>
    /// <param name="request">The request of the call.</param>
    /// <param name="first">The request of its first attempt: the request itself, or a copy.</param>
    internal static void Enter(TimeProvider time, HttpCall call, HttpRequestMessage request, HttpRequestMessage first)
    {
        if (!call.IsTraced)
        {
            if (!Source.HasListeners())
                return;
            // Set even when the span is not sampled, so that sampling is decided once.
            call.IsTraced = true;
            request.Options.Set(Key, Begin(time, call, request, first)!);
        }

        if (Of(call, request) is { } span)
            Activity.Current = span;
    }

    internal static void End(
        TimeProvider time, HttpCall call, HttpRequestMessage request, HttpResponseMessage? response, Exception? exception)
    {
        if (Of(call, request) is not { } span)
            return;

        int? status = (int?)response?.StatusCode;
        if (status is not null)
            span.SetTag(TelemetryTags.StatusCode, status);
        if (TelemetryTags.ErrorTypeOf(call, status, exception) is { } errorType)
            span.SetTag(TelemetryTags.ErrorType, errorType);
        span.SetTag(TelemetryTags.StopReason, call.StopReason.ToString());
        span.SetTag(TelemetryTags.Attempts, call.AttemptCount);
        if (call.FailureClass is not FailureClass.None)
            span.SetStatus(ActivityStatusCode.Error);
        span.SetEndTime(time.GetUtcNow().UtcDateTime);
        span.Stop();
    }

    private static Activity? Begin(TimeProvider time, HttpCall call, HttpRequestMessage request, HttpRequestMessage first)
    {
        string method = TelemetryTags.MethodOf(request.Method);
        var tags = TelemetryTags.Of(call.ClientName, request.RequestUri);
        tags.Add(TelemetryTags.Method, method);
        ActivityLink[]? links = first.Options.TryGetValue(FirstAttemptKey, out var attempt) ? [new(attempt.Context)] : null;
        var startedAt = time.GetUtcNow() - time.GetElapsedTime(call.StartedAt, time.GetTimestamp());
        return Source.StartActivity($"{method} {call.ClientName}", ActivityKind.Internal, parentContext: default, tags, links, startedAt);
    }
}
