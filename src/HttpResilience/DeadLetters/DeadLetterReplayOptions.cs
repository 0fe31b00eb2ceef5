namespace HttpResilience;

/// <summary>The number of dead letters that are replayed at once.</summary>
public sealed class DeadLetterReplayOptions
{
    /// <summary>The maximum for this process. 1 to 1000; default 16.</summary>
    public int MaxConcurrency { get; set; } = 16;

    /// <summary>The maximum for one host and this process. 1 to 1000; default 4.</summary>
    public int MaxConcurrencyPerAuthority { get; set; } = 4;
}
