using System.Globalization;

namespace HttpResilience;

/// <summary>
/// No further attempt was sent: the host asked (<c>Retry-After</c>) to be left alone for longer than the call can wait, or the client's own limit for it is reached. An <see cref="HttpRequestException"/>, so what already handles a failed call
/// handles this.
/// </summary>
public sealed class RateLimitedException : HttpRequestException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="authority">Scheme, host and port of the host.</param>
    /// <param name="retryAfter">Until the host may be called again; null when it is the client's own limit.</param>
    public RateLimitedException(string authority, TimeSpan? retryAfter = null)
        : base(retryAfter is { } wait
            ? string.Create(CultureInfo.InvariantCulture, $"{authority} asked to be left alone for another {wait.TotalSeconds:0.0} s, longer than the call can wait.")
            : $"The limit of concurrent requests to {authority} is reached (RateLimiter:DefaultRateLimiterOptions).")
    {
        Authority = authority;
        RetryAfter = retryAfter;
    }

    /// <summary>Scheme, host and port of the host, such as <c>https://api.example.com</c>.</summary>
    public string Authority { get; }

    /// <summary>Until the host may be called again; null when it is the client's own limit.</summary>
    public TimeSpan? RetryAfter { get; }
}
