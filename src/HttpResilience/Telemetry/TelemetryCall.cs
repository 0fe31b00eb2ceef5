namespace HttpResilience;

/// <summary>The part of a call that belongs to its telemetry.</summary>
internal static class TelemetryCall
{
    private static readonly CallFlag Traced = new();
    private static readonly CallFlag Enriched = new();
    private static readonly CallSlot<(int? Status, Exception? Exception)> Hidden = new();

    extension(HttpCall call)
    {
        /// <summary>Whether the call has a span of its own has been decided.</summary>
        internal bool IsTraced
        {
            get => Traced.IsSet(call);
            set => Traced.Set(call, value);
        }

        /// <summary>The platform's metric of the request already asks for <see cref="HttpCall.ResendCount"/>.</summary>
        internal bool MetricIsEnriched
        {
            get => Enriched.IsSet(call);
            set => Enriched.Set(call, value);
        }

        /// <summary>The failure that a stale response replaces; empty when the response is the API's own.</summary>
        internal (int? Status, Exception? Exception) Masked
        {
            get => Hidden.Get(call);
            set => Hidden.Set(call, value);
        }
    }
}
