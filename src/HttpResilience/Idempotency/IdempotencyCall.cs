namespace HttpResilience;

/// <summary>The part of a call that belongs to its idempotency key.</summary>
internal static class IdempotencyCall
{
    private static readonly CallFlag Created = new();
    private static readonly CallSlot<DateTimeOffset?> FirstUse = new();
    private static readonly CallSlot<RequestFingerprint> Request = new();

    extension(HttpCall call)
    {
        /// <summary>The chain created the key; the caller did not set it.</summary>
        internal bool KeyIsMade
        {
            get => Created.IsSet(call);
            set => Created.Set(call, value);
        }

        /// <summary>The fingerprint of the request; null until it is needed.</summary>
        internal RequestFingerprint? Fingerprint
        {
            get => Request.Get(call);
            set => Request.Set(call, value);
        }

        /// <summary>Another call can have the same key: the caller set it, or it is derived from the content of the request.</summary>
        internal bool HasLastingKey =>
            call.IdempotencyKey is not null && !(call.KeyIsMade && call.Policy.Idempotency is { KeySource: KeySource.Random });

        /// <summary>The timestamp of the first use of the key: that of an earlier call when this call continues it.</summary>
        internal long KeyStartedAt => call.KeyFirstUsedAt is { } first
            ? call.StartedAt - call.Policy.ToTimestamp(call.Time.GetUtcNow() - first)
            : call.StartedAt;

        /// <summary>The API still knows the key of an earlier call that this call continues, wherever it is sent now.</summary>
        internal bool KeyHolds => call.Policy.KeyHoldsLater && call.StartedAt < call.Policy.KeyEndFrom(call.KeyStartedAt);

        private DateTimeOffset? KeyFirstUsedAt => FirstUse.Get(call) ?? call.Replay?.KeyFirstUsedAt;

        /// <summary>An earlier call sent the same request under the same key, and its result is unknown.</summary>
        internal void ContinueInDoubt(DateTimeOffset keyFirstUsedAt)
        {
            call.MayHaveBeenProcessed = true;
            if (!(call.KeyFirstUsedAt < keyFirstUsedAt))
                FirstUse.Set(call, keyFirstUsedAt);
        }
    }
}
