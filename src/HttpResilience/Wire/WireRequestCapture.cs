namespace HttpResilience;

/// <summary>
/// Captures the request of a call as the primary handler gets it, with the fields that inner handlers add. Of consecutive attempts the last
/// one counts, of concurrent ones all.
/// </summary>
/// <param name="logical">
/// The URI that counts for the one that was sent, where the call itself does not choose its endpoint. Null when the URI counts as sent.
/// </param>
/// <param name="hasHost">The caller has set the Host field.</param>
internal sealed class WireRequestCapture(Func<Uri, Uri>? logical = null, bool hasHost = false)
{
    internal static readonly HttpRequestOptionsKey<WireRequestCapture> Key = new("HttpResilience.WireRequestCapture");

    private readonly Lock _gate = new();
    private RequestFields? _fields;
    private int _inFlight;

    /// <summary>The timestamp of the last send.</summary>
    internal long SentAt { get; private set; }

    /// <summary>A hash of the sent request; null when nothing was sent.</summary>
    internal string? HashFor(string? tenant)
    {
        lock (_gate)
            return _fields?.HashFor(tenant);
    }

    /// <param name="cookies">The cookies that the primary handler adds; empty when there are none.</param>
    internal void Begin(HttpRequestMessage request, string cookies, long now)
    {
        lock (_gate)
        {
            if (_inFlight++ == 0)
                _fields = new();
            _fields!.Add(request.Method, Logical(request.RequestUri), logical is null || hasHost ? request.Headers.NonValidated
                : request.Headers.NonValidated.Where(h => !h.Key.Equals("Host", StringComparison.OrdinalIgnoreCase)));
            if (cookies.Length > 0)
                _fields.AddField("Cookie", cookies);
            SentAt = now;
        }
    }

    /// <summary>Adds the changes that the primary handler has made to a request.</summary>
    /// <param name="given">Its header fields when the primary handler got it.</param>
    /// <param name="sent">The request after the send.</param>
    /// <param name="followsRedirects">Whether a changed URI is the target of a redirect.</param>
    internal void Add(IReadOnlyDictionary<string, string> given, HttpRequestMessage sent, bool followsRedirects)
    {
        lock (_gate)
        {
            foreach (var (name, values) in sent.Headers.NonValidated)
            {
                string value = values.ToString();
                // Automatic decompression adds the same Accept-Encoding to all requests.
                if (!name.Equals("Accept-Encoding", StringComparison.OrdinalIgnoreCase) && !RequestFields.IsOfOneMessage(name)
                    && given.GetValueOrDefault(name) != value)
                    _fields!.AddField(name, value);
            }

            if (!followsRedirects)
                _fields!.AddUri(Logical(sent.RequestUri));
        }
    }

    internal void End()
    {
        lock (_gate)
            _inFlight--;
    }

    private Uri? Logical(Uri? sent) => logical is null || sent is not { IsAbsoluteUri: true } ? sent : logical(sent);
}
