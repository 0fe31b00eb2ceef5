namespace HttpResilience;

/// <summary>
/// What goes out of a call, as the primary handler is given it: handlers inside the chain have added what they add by then. Of attempts one after the other the
/// last one counts, of requests side by side all.
/// </summary>
internal sealed class WireRequestCapture
{
    internal static readonly HttpRequestOptionsKey<WireRequestCapture> Key = new("HttpResilience.WireRequestCapture");

    private readonly Lock _gate = new();
    private RequestFields? _fields;
    private int _underWay;

    /// <summary>When the last one was sent.</summary>
    internal long SentAt { get; private set; }

    /// <summary>The hash of what was sent; null when nothing was.</summary>
    internal string? HashFor(string? tenant)
    {
        lock (_gate)
            return _fields?.HashFor(tenant);
    }

    /// <param name="cookies">What the primary handler adds by itself; empty when nothing.</param>
    internal void Begin(HttpRequestMessage request, string cookies, long now)
    {
        lock (_gate)
        {
            if (_underWay++ == 0)
                _fields = new();
            _fields!.Add(request.Method, request.RequestUri, request.Headers.NonValidated);
            if (cookies.Length > 0)
                _fields.AddField("Cookie", cookies);
            SentAt = now;
        }
    }

    /// <summary>Adds what the primary handler has made of a request.</summary>
    /// <param name="given">Its header fields when the primary handler got it.</param>
    /// <param name="sent">The request as it is now.</param>
    /// <param name="followsRedirects">A URI that has changed is where a redirect has led.</param>
    internal void Add(IReadOnlyDictionary<string, string> given, HttpRequestMessage sent, bool followsRedirects)
    {
        lock (_gate)
        {
            foreach (var (name, values) in sent.Headers.NonValidated)
            {
                string value = values.ToString();
                // Accept-Encoding comes with automatic decompression, and is the same for all.
                if (!name.Equals("Accept-Encoding", StringComparison.OrdinalIgnoreCase) && !RequestFields.IsOfOneMessage(name) && given.GetValueOrDefault(name) != value)
                    _fields!.AddField(name, value);
            }

            if (!followsRedirects)
                _fields!.AddUri(sent.RequestUri);
        }
    }

    internal void End()
    {
        lock (_gate)
            _underWay--;
    }
}
