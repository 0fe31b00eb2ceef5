namespace HttpResilience;

/// <summary>Which dead letters this process replays, and how many at once.</summary>
public sealed class DeadLetterReplayOptions
{
    /// <summary>The maximum for this process. 1 to 1000; default 16.</summary>
    public int MaxConcurrency { get; set; } = 16;

    /// <summary>The maximum for one host and this process. 1 to 1000; default 4.</summary>
    public int MaxConcurrencyPerAuthority { get; set; } = 4;

    /// <summary>
    /// The applications on the same store whose letters this process replays besides its own (<c>Storage:Application</c>). Default: none.
    /// </summary>
    public IList<string> Applications { get; } = [];
}
