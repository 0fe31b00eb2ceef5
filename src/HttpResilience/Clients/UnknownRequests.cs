namespace HttpResilience;

/// <summary>
/// The requests that reached the innermost stage without their call: handlers of the application make them, as copies of the call's
/// request or for a purpose of their own. An attempt that fails while there are any may have been sent.
/// </summary>
internal sealed class UnknownRequests
{
    private long _lastSentAt = long.MinValue;
    private long _lastAnsweredAt = long.MinValue;

    internal static UnknownRequests Of(Client client) => client.GetOrAdd(static () => new UnknownRequests());

    internal void Send(long now) => Volatile.Write(ref _lastSentAt, now);

    internal void Answer(long now) => Volatile.Write(ref _lastAnsweredAt, now);

    /// <summary>Adds them to a call whose attempt has not reached the innermost stage itself.</summary>
    internal void AddTo(HttpCall call)
    {
        if (!call.WasSent && Volatile.Read(ref _lastSentAt) >= call.AttemptStartedAt)
            call.AddUnknown(Volatile.Read(ref _lastAnsweredAt) >= call.AttemptStartedAt);
    }
}
