namespace HttpResilience;

/// <summary>Hears of the calls that are made inside a scope.</summary>
internal sealed class CallCollector
{
    private readonly Lock _gate = new();
    private readonly List<HttpCall> _calls = [];

    // A record that makes thousands of calls is told by its last ones.
    private const int MostKept = 16;

    private bool _sawStale;

    internal void Add(HttpCall call)
    {
        lock (_gate)
        {
            if (_calls.Count == MostKept)
            {
                _sawStale |= _calls[0].IsStale;
                _calls.RemoveAt(0);
            }

            _calls.Add(call);
        }
    }

    /// <summary>One of the calls was answered with a response that is not fresh.</summary>
    internal bool HasStale
    {
        get
        {
            lock (_gate)
                return _sawStale || _calls.Exists(c => c.IsStale);
        }
    }

    /// <summary>The last call that failed; null when none did.</summary>
    internal HttpCall? LastFailed
    {
        get
        {
            lock (_gate)
                return _calls.FindLast(c => c.FailureClass is not FailureClass.None);
        }
    }
}
