using System.Globalization;

namespace HttpResilience;

/// <summary>
/// No further attempt was sent: the host asked (<c>Retry-After</c>) to be left alone for longer than the call can wait, or the client's own limit for it
/// (<c>RateLimiter</c>) is reached. An <see cref="HttpRequestException"/>, so what already handles a failed call handles this.
/// </summary>
public sealed class RateLimitedException : HttpRequestException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="authority">Scheme, host and port of the host.</param>
    /// <param name="retryAfter">Until the host may be called again; null when it is the client's own limit.</param>
    public RateLimitedException(string authority, TimeSpan? retryAfter = null)
        : this(authority, retryAfter, retryAfter is { } wait
            ? string.Create(CultureInfo.InvariantCulture, $"{authority} asked to be left alone for another {wait.TotalSeconds:0.0} s, longer than the call can wait.")
            : $"The client's own limit of requests to {authority} is reached (RateLimiter).")
    {
    }

    private RateLimitedException(string authority, TimeSpan? retryAfter, string message)
        : base(message)
    {
        Authority = authority;
        RetryAfter = retryAfter;
    }

    /// <summary>Scheme, host and port of the host, such as <c>https://api.example.com</c>.</summary>
    public string Authority { get; }

    /// <summary>
    /// Until the host may be called again. By the client's own limit: until there is a token for one more (<c>RateLimiter:TokenBucket</c>); null when nobody can
    /// tell, as it takes another call to end.
    /// </summary>
    public TimeSpan? RetryAfter { get; }

    internal static RateLimitedException ByClient(HttpAuthority authority, TimeSpan? retryAfter) => new(
        authority.ToString(), retryAfter, retryAfter is { } wait
            ? string.Create(CultureInfo.InvariantCulture, $"The client's own limit of requests to {authority} is reached, a token comes in {wait.TotalSeconds:0.0} s (RateLimiter:TokenBucket).")
            : $"The client's own limit of requests to {authority} is reached (RateLimiter).");
}
