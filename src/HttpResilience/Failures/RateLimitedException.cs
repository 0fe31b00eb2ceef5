using System.Globalization;

namespace HttpResilience;

/// <summary>
/// No further attempt was sent: the host asked (<c>Retry-After</c>) for a pause longer than the call can wait, a quota of it is used up
/// (<c>Quota</c>), or the client's own limit for the host (<c>RateLimiter</c>, <c>Concurrency</c>) is reached.
/// <see cref="RejectedException.RetryAfter"/> is the time until the pause ends, until the quota has a rest for the call, or until the token
/// bucket (<c>RateLimiter:TokenBucket</c>) has a token; null when the limit of concurrent attempts is reached, because another call has to
/// end first.
/// </summary>
public sealed class RateLimitedException : RejectedException
{
    private readonly HttpAuthority _authority;
    private readonly bool _isByClient;
    private readonly bool _isByQuota;
    private readonly bool _isByConcurrency;
    private string? _text;

    /// <summary>Creates the exception.</summary>
    /// <param name="authority">Scheme, host and port of the host.</param>
    /// <param name="retryAfter">Time until the host accepts calls again; null when the client's own limit is reached.</param>
    public RateLimitedException(string authority, TimeSpan? retryAfter = null)
        : base(retryAfter) => (_text, _isByClient) = (authority, retryAfter is null);

    private RateLimitedException(
        HttpAuthority authority, TimeSpan? retryAfter, bool isByClient, bool isByQuota = false, bool isByConcurrency = false)
        : base(retryAfter) =>
        (_authority, _isByClient, _isByQuota, _isByConcurrency) = (authority, isByClient, isByQuota, isByConcurrency);

    /// <summary>Scheme, host and port of the host, such as <c>https://api.example.com</c>.</summary>
    public override string Authority => _text ??= _authority.Host is null ? null! : _authority.ToString();

    internal override StopReason StopReason => StopReason.RateLimited;

    internal override FailureClass FailureClass => FailureClass.RateLimited;

    /// <summary>The pause that a host requested lasts longer than the call can wait.</summary>
    internal static RateLimitedException ByHost(HttpAuthority authority, TimeSpan retryAfter) =>
        new(authority, retryAfter, isByClient: false);

    /// <summary>The client's own limit is reached.</summary>
    internal static RateLimitedException ByClient(HttpAuthority authority, TimeSpan? retryAfter) =>
        new(authority, retryAfter, isByClient: true);

    /// <summary>The turn of the call comes after its deadline.</summary>
    internal static RateLimitedException ByQuota(HttpAuthority authority, TimeSpan retryAfter) =>
        new(authority, retryAfter, isByClient: false, isByQuota: true);

    /// <summary>The client's adaptive limit of concurrent attempts is reached.</summary>
    internal static RateLimitedException ByConcurrency(HttpAuthority authority) =>
        new(authority, retryAfter: null, isByClient: true, isByConcurrency: true);

    private protected override string Describe() => (_isByClient, RetryAfter) switch
    {
        (false, { } wait) when _isByQuota => string.Create(
            CultureInfo.InvariantCulture,
            $"The quota of {Authority} is used up for another {wait.TotalSeconds:0.0} s, longer than the call can wait (Quota:Pace)."),
        (false, { } wait) => string.Create(
            CultureInfo.InvariantCulture,
            $"{Authority} sent Retry-After; its pause lasts another {wait.TotalSeconds:0.0} s, longer than the call can wait."),
        (_, { } wait) => $"The client's limit of requests to {Authority} is reached; the next token is available in "
            + string.Create(CultureInfo.InvariantCulture, $"{wait.TotalSeconds:0.0} s (RateLimiter:TokenBucket)."),
        _ when _isByConcurrency =>
            $"The client's limit of concurrent requests to {Authority} is reached, and the wait would be too long (Concurrency).",
        _ => $"The client's limit of requests to {Authority} is reached (RateLimiter).",
    };
}
