using System.Threading.RateLimiting;

namespace HttpResilience.AspNetCore;

/// <summary>How often a person may change something in a minute.</summary>
internal sealed class PostLimiter(int postsPerMinute) : IDisposable
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly PartitionedRateLimiter<string> _limiter = PartitionedRateLimiter.Create<string, string>(
        person => RateLimitPartition.GetFixedWindowLimiter(person, _ => new() { PermitLimit = postsPerMinute, Window = Window }));

    /// <returns>Null when it may be done now, else how long to wait.</returns>
    internal TimeSpan? WaitOf(string person)
    {
        using var lease = _limiter.AttemptAcquire(person);
        return lease.IsAcquired ? null : lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : Window;
    }

    public void Dispose() => _limiter.Dispose();
}
