using System.Text.Json.Serialization;
using HttpResilience;

namespace InvoiceSender;

/// <summary>How a run with <c>--dead-letters</c> went: every invoice is at the API or kept.</summary>
internal sealed record KeptReport
{
    public int? Seed { get; init; }
    public required bool Interrupted { get; init; }
    public required int Invoices { get; init; }
    public required int Accepted { get; init; }
    public required double ElapsedSeconds { get; init; }
    public required string Store { get; init; }

    /// <summary>The newest first.</summary>
    [JsonIgnore]
    public IReadOnlyList<DeadLetter> Kept { get; init; } = [];

    public IReadOnlyList<LetterView> DeadLetters => [.. Kept.Select(LetterView.Of)];

    /// <summary>Neither accepted nor kept.</summary>
    public required IReadOnlyList<RowReport> Lost { get; init; }

    /// <summary>What the sample's own API has, and what of it more than once. Absent for an API that is not our own.</summary>
    public int? Stored { get; init; }

    public int? Duplicated { get; init; }

    [JsonIgnore]
    public bool IsClean => Lost.Count == 0 && Duplicated is null or 0;
}
