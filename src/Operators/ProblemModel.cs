namespace HttpResilience.Operators;

/// <summary>An error (RFC 9457).</summary>
internal sealed record ProblemModel
{
    public required string Title { get; init; }

    public required int Status { get; init; }

    public string? Detail { get; init; }

    /// <summary>What is wrong by field or word of the filter.</summary>
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }

    /// <summary>The letter as it is now: who did what to it meanwhile.</summary>
    public LetterSummary? Letter { get; init; }

    /// <summary>The number that a purge would delete now.</summary>
    public long? Count { get; init; }
}
