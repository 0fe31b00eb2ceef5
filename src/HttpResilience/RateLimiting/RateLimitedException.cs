namespace HttpResilience;

/// <summary>
/// The client's own limit for the host is reached, and nothing was sent. An <see cref="HttpRequestException"/>, so what already handles a failed call
/// handles this.
/// </summary>
public sealed class RateLimitedException : HttpRequestException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="authority">Scheme, host and port of the host.</param>
    /// <param name="retryAfter">When a new call makes sense; null when that is not known.</param>
    public RateLimitedException(string authority, TimeSpan? retryAfter = null)
        : base($"The limit of concurrent requests to {authority} is reached (RateLimiter:DefaultRateLimiterOptions); nothing was sent.")
    {
        Authority = authority;
        RetryAfter = retryAfter;
    }

    /// <summary>Scheme, host and port of the host, such as <c>https://api.example.com</c>.</summary>
    public string Authority { get; }

    /// <summary>When a new call makes sense; null when that is not known.</summary>
    public TimeSpan? RetryAfter { get; }
}
