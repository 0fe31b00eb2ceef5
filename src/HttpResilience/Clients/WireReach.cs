namespace HttpResilience;

/// <summary>
/// Whether the requests of a client go through the innermost stage. Handlers of the application stand before it; one of them may send
/// through connections of its own, all requests or those of some methods.
/// </summary>
internal sealed class WireReach
{
    // An application may make up any number of them.
    private const int MaxMethods = 32;

    private volatile bool _isWatched;
    private volatile bool _isBypassed;
    private volatile HttpMethod[] _reached = [];

    /// <summary>Handlers of the application stand before the innermost stage.</summary>
    internal bool IsWatched => _isWatched;

    internal static WireReach Of(Client client) => client.GetOrAdd(static () => new WireReach());

    internal void Watch() => _isWatched = true;

    /// <summary>A request has reached the innermost stage.</summary>
    internal void Reach(HttpMethod method)
    {
        // Two at once may forget one of them, until its next request.
        if (_reached.Length < MaxMethods && !Array.Exists(_reached, m => m == method))
            _reached = [.. _reached, method];
    }

    /// <summary>
    /// A request with the method that has not reached the innermost stage was not sent. Not certain before one with the method has reached
    /// it: a handler may have sent it by another way.
    /// </summary>
    internal bool ProvesUnsent(HttpMethod method) => !_isWatched || (!_isBypassed && Array.Exists(_reached, m => m == method));

    /// <summary>The attempt of a call got a response.</summary>
    internal void Receive(HttpCall call)
    {
        if (_isWatched && !call.WasSeenAtWire)
            _isBypassed = true;
    }

    /// <summary>The attempt of a call failed: once a handler is known to send by another way, it may have sent this request too.</summary>
    internal void Fail(HttpCall call)
    {
        if (_isBypassed)
            call.WasSent = true;
    }
}
