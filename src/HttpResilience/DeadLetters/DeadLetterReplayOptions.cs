namespace HttpResilience;

/// <summary>How many dead letters are sent again at once.</summary>
public sealed class DeadLetterReplayOptions
{
    /// <summary>By this process. 1 to 1000; default 16.</summary>
    public int MaxConcurrency { get; set; } = 16;

    /// <summary>To one host, by this process. 1 to 1000; default 4.</summary>
    public int MaxConcurrencyPerAuthority { get; set; } = 4;
}
