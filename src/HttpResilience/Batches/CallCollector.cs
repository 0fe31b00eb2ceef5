namespace HttpResilience;

/// <summary>
/// Collects the calls made inside a scope: the last 16, and of the earlier ones whether any was stale or must not be repeated.
/// </summary>
internal sealed class CallCollector
{
    private const int MaxKept = 16;

    private readonly Lock _gate = new();
    private readonly List<(HttpCall Call, bool IsIdempotent)> _calls = [];
    private CallObservers[] _observers = [];
    private bool _hadStale;
    private bool _hadUnrepeatable;

    /// <param name="observers">Those of the container that the client belongs to; null when it has none.</param>
    internal void Add(HttpCall call, HttpMethod method, CallObservers? observers)
    {
        lock (_gate)
        {
            if (observers is not null && !_observers.Contains(observers))
                _observers = [.. _observers, observers];
            if (_calls.Count == MaxKept)
            {
                _hadStale |= _calls[0].Call.IsStale;
                _hadUnrepeatable |= !IsRepeatable(_calls[0]);
                _calls.RemoveAt(0);
            }

            _calls.Add((call, call.Policy.Retry.IsIdempotent(method)));
        }
    }

    /// <summary>At least one call returned a stale response.</summary>
    internal bool HasStale
    {
        get
        {
            lock (_gate)
                return _hadStale || _calls.Exists(c => c.Call.IsStale);
        }
    }

    /// <summary>All calls may be repeated: those that may have been processed are idempotent or will carry the same key again.</summary>
    internal bool AreRepeatable
    {
        get
        {
            lock (_gate)
                return !_hadUnrepeatable && _calls.TrueForAll(IsRepeatable);
        }
    }

    /// <summary>The last call; null when there was none.</summary>
    internal HttpCall? Last
    {
        get
        {
            lock (_gate)
                return _calls is [.., var last] ? last.Call : null;
        }
    }

    /// <summary>The last call that failed; null when none did.</summary>
    internal HttpCall? LastFailed
    {
        get
        {
            lock (_gate)
                return _calls.FindLast(c => c.Call.FailureClass is not FailureClass.None).Call;
        }
    }

    /// <summary>The observers of the containers whose clients were called.</summary>
    internal IReadOnlyList<CallObservers> Observers
    {
        get
        {
            lock (_gate)
                return _observers;
        }
    }

    /// <summary>The hosts of the last calls.</summary>
    internal IReadOnlyList<string> Authorities
    {
        get
        {
            lock (_gate)
                return [.. _calls.Select(c => c.Call.Host?.Key.Authority.ToString()).OfType<string>().Distinct()];
        }
    }

    private static bool IsRepeatable((HttpCall Call, bool IsIdempotent) made) =>
        made.IsIdempotent || made.Call.HasLastingKey || (made.Call is { FailureClass: not FailureClass.None, MayHaveBeenProcessed: false });
}
