namespace HttpResilience;

/// <summary>
/// The requests that reached the innermost stage without their call: handlers of the application make them, as copies of the call's
/// request or for a purpose of their own. An attempt that fails while there are any may have been sent. So may one of a client whose
/// handlers do not send through the innermost stage at all, but through connections of their own.
/// </summary>
internal sealed class UnknownRequests
{
    private long _lastSentAt = long.MinValue;
    private long _lastAnsweredAt = long.MinValue;
    private long _lastDoubtedAt = long.MinValue;
    private volatile bool _isWatched;
    private volatile bool _isReached;
    private volatile bool _isBypassed;

    /// <summary>
    /// A request that has not reached the innermost stage was not sent. Not certain before any has reached it: a handler may have sent it
    /// by another way.
    /// </summary>
    internal bool ProveUnsent => !_isWatched || (_isReached && !_isBypassed);

    internal static UnknownRequests Of(Client client) => client.GetOrAdd(static () => new UnknownRequests());

    /// <summary>Handlers of the application stand before the innermost stage.</summary>
    internal void Watch() => _isWatched = true;

    /// <summary>A request has reached the innermost stage.</summary>
    internal void Reach()
    {
        if (!_isReached)
            _isReached = true;
    }

    /// <summary>The attempt of a call got a response.</summary>
    internal void Receive(HttpCall call)
    {
        if (!call.WasSent && _isWatched && Volatile.Read(ref _lastSentAt) < call.AttemptStartedAt)
            _isBypassed = true;
    }

    internal void Send(long now) => Volatile.Write(ref _lastSentAt, now);

    internal void Answer(long now) => Volatile.Write(ref _lastAnsweredAt, now);

    /// <summary>One of them failed after the server may have received it.</summary>
    internal void Doubt(long now) => Volatile.Write(ref _lastDoubtedAt, now);

    /// <summary>Adds them to a call whose attempt has not reached the innermost stage itself.</summary>
    internal void AddTo(HttpCall call)
    {
        // Also when the handler then sent the request itself, which may not have arrived.
        if (Volatile.Read(ref _lastDoubtedAt) >= call.AttemptStartedAt)
            call.AddUnknown(wasAnswered: true);
        else if (!call.WasSent && (_isBypassed || Volatile.Read(ref _lastSentAt) >= call.AttemptStartedAt))
            call.AddUnknown(Volatile.Read(ref _lastAnsweredAt) >= call.AttemptStartedAt);
    }
}
