namespace HttpResilience;

/// <summary>
/// Whether a request that is slow to be answered is sent a second time before the first is known to have failed; the first good answer
/// counts, the other requests are cancelled. Section <c>Hedging</c>. Shortens slow calls at the price of more load on the host, which
/// <c>Retry:Budget</c> bounds.
/// </summary>
/// <remarks>
/// Only calls that can safely be sent twice are hedged: those whose method is safe or idempotent (RFC 9110 §9.2), and those that carry an
/// idempotency key unless <c>Retry:UnsafeMethods</c> is <see cref="UnsafeMethods.Never"/>. A call is not hedged either when its body cannot
/// be kept in memory (<c>Retry:MaxReplayBodyBytes</c>), when it was given <c>WithMaxRetryAttempts(0)</c>, or when it is made with the
/// synchronous <c>HttpClient.Send</c>, whose one thread is blocked by the first request.
/// </remarks>
public sealed class HedgingOptions
{
    /// <summary>Whether calls are hedged. Default false.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// How long an answer may take before the next request goes out. 0 (all go out at once) to 1 day, or null: the 95th percentile of the
    /// host in the last minutes, 500 ms until 100 answers are known; at most one in twenty requests is then sent a second time for being
    /// slow. Default null. After a failure that is worth a retry, and for which the server did not ask to wait, it goes out without delay.
    /// </summary>
    public TimeSpan? Delay { get; set; }

    /// <summary>
    /// How many requests an attempt may send besides its first. 1 to 10; default 1. They share its <c>AttemptTimeout</c>.
    /// </summary>
    public int MaxHedgedAttempts { get; set; } = 1;

    internal static OptionKeys<HedgingOptions> Keys => new OptionKeys<HedgingOptions>()
        .Boolean(nameof(Enabled), o => o.Enabled, (o, v) => o.Enabled = v)
        .DurationOrNull(nameof(Delay), o => o.Delay, (o, v) => o.Delay = v, TimeSpan.Zero, TimeSpan.FromDays(1), "learn it")
        .Integer(nameof(MaxHedgedAttempts), o => o.MaxHedgedAttempts, (o, v) => o.MaxHedgedAttempts = v, 1, 10)
        .Ignored("Name");
}
