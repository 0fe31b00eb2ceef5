using System.Text.Json.Serialization;
using HttpResilience;

namespace InvoiceSender;

/// <summary>How a run with <c>--dead-letters</c> went: every invoice is at the API or kept.</summary>
internal sealed record KeptReport
{
    public int? Seed { get; init; }
    public bool Interrupted { get; init; }

    /// <summary>What was the same for all invoices and ended the run early.</summary>
    public string? StoppedBy { get; init; }

    public required int Invoices { get; init; }

    /// <summary>At the API, also by earlier runs and corrected letters, or settled by somebody in another way.</summary>
    public required int Accepted { get; init; }

    /// <summary>Those that an early end left over.</summary>
    public required int NotSent { get; init; }

    /// <summary>What this run sent for it.</summary>
    public int Requests { get; init; }

    public double ElapsedSeconds { get; init; }
    public required string Store { get; init; }

    /// <summary>Null when it could not be written.</summary>
    public string? StatusFile { get; init; }

    [JsonIgnore]
    public IReadOnlyList<DeadLetter> Kept { get; init; } = [];

    public IReadOnlyList<LetterView> DeadLetters => [.. Kept.Select(LetterView.Of)];

    /// <summary>Not accepted, and kept.</summary>
    public required IReadOnlyList<RowReport> Rows { get; init; }

    /// <summary>Neither accepted nor kept.</summary>
    public required IReadOnlyList<RowReport> Lost { get; init; }

    /// <summary>What the sample's own API has, and what of it more than once. Absent for an API that is not our own.</summary>
    public int? Stored { get; init; }

    public int? Duplicated { get; init; }

    /// <summary>What there was to send to the webhook of --alerts. Absent without it.</summary>
    public IReadOnlyList<Alert>? Alerts => Told?.Alerts;

    public string? AlertsFor => Told?.Webhook;

    [JsonIgnore]
    public AlertReport? Told { get; init; }

    [JsonIgnore]
    public bool IsClean => Lost.Count == 0 && StoppedBy is null && Duplicated is null or 0;
}
