using System.Globalization;

namespace HttpResilience;

/// <summary>
/// No further attempt was sent: the host asked (<c>Retry-After</c>) for a pause longer than the call can wait, or the client's own limit
/// for the host (<c>RateLimiter</c>) is reached. <see cref="RejectedException.RetryAfter"/> is the time until the pause ends, or until the
/// token bucket (<c>RateLimiter:TokenBucket</c>) has a token; null when the limit of concurrent attempts is reached, because another call
/// has to end first.
/// </summary>
public sealed class RateLimitedException : RejectedException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="authority">Scheme, host and port of the host.</param>
    /// <param name="retryAfter">Time until the host accepts calls again; null when the client's own limit is reached.</param>
    public RateLimitedException(string authority, TimeSpan? retryAfter = null)
        : this(authority, retryAfter, retryAfter is { } wait ? Describe(authority, wait) : DescribeLimit(authority, nextToken: null))
    {
    }

    private RateLimitedException(string authority, TimeSpan? retryAfter, string message)
        : base(message, retryAfter) => Authority = authority;

    /// <summary>Scheme, host and port of the host, such as <c>https://api.example.com</c>.</summary>
    public override string Authority { get; }

    internal override StopReason StopReason => StopReason.RateLimited;

    internal override FailureClass FailureClass => FailureClass.RateLimited;

    internal static RateLimitedException ByClient(HttpAuthority authority, TimeSpan? retryAfter) =>
        new(authority.ToString(), retryAfter, DescribeLimit(authority.ToString(), retryAfter));

    private static string Describe(string authority, TimeSpan wait) => string.Create(
        CultureInfo.InvariantCulture,
        $"{authority} sent Retry-After; its pause lasts another {wait.TotalSeconds:0.0} s, longer than the call can wait.");

    private static string DescribeLimit(string authority, TimeSpan? nextToken) =>
        $"The client's limit of requests to {authority} is reached" + (nextToken is { } wait
            ? string.Create(
                CultureInfo.InvariantCulture, $"; the next token is available in {wait.TotalSeconds:0.0} s (RateLimiter:TokenBucket).")
            : " (RateLimiter).");
}
