namespace HttpResilience;

/// <summary>The earlier call that a call sends again from a dead letter.</summary>
/// <param name="LetterId">The dead letter.</param>
/// <param name="KeyFirstUsedAt">When the earlier call used its idempotency key for the first time.</param>
/// <param name="MayHaveBeenProcessed">An attempt of the earlier call may have been processed.</param>
/// <param name="IsResolved">An operator reviewed the letter and decided to send it.</param>
internal sealed record ReplayedCall(Guid LetterId, DateTimeOffset KeyFirstUsedAt, bool MayHaveBeenProcessed, bool IsResolved)
{
    /// <summary>The idempotency key of the earlier call; the request carries it already. Null when it has none.</summary>
    internal string? IdempotencyKey { get; init; }

    /// <summary>The header field of <see cref="IdempotencyKey"/>; the settings of the client may have another one now.</summary>
    internal string? KeyHeaderName { get; init; }

    /// <summary>
    /// The URI of the earlier call, with which stored responses are compared; this request may be sent to the target of a redirect.
    /// </summary>
    internal Uri? Uri { get; init; }

    /// <summary>What the letter leaves out of the earlier call (<c>DeadLetter.LeftOut</c>); handlers of the client add it again.</summary>
    internal IReadOnlyList<string> LeftOut { get; init; } = [];

    /// <summary>The letter leaves out query parameters, so its URI is not that of the earlier call.</summary>
    internal bool LacksParameters { get; init; }

    /// <summary>What was left out and not added again, so that nothing was sent; null when nothing is missing.</summary>
    internal string? Missing { get; set; }

    /// <summary>On a request: the call it sends again.</summary>
    internal static readonly HttpRequestOptionsKey<ReplayedCall> Key = new("HttpResilience.ReplayedCall");
}

/// <summary>The part of a call that belongs to a replay.</summary>
internal static class CallReplay
{
    private static readonly CallSlot<ReplayedCall> Slot = new();

    extension(HttpCall call)
    {
        /// <summary>The earlier call that this call sends again; null for a call of the application.</summary>
        internal ReplayedCall? Replay
        {
            get => Slot.Get(call);
            set => Slot.Set(call, value);
        }
    }
}
