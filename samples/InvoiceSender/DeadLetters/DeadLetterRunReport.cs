using System.Text.Json.Serialization;
using HttpResilience;

namespace InvoiceSender;

/// <summary>The result of a run with <c>--dead-letters</c>.</summary>
internal sealed record DeadLetterRunReport
{
    public int? Seed { get; init; }
    public bool Interrupted { get; init; }

    /// <summary>The failure that would affect every invoice and ended the run early.</summary>
    public string? StoppedBy { get; init; }

    public required int Invoices { get; init; }

    /// <summary>
    /// Invoices accepted by the API in this run, an earlier run or through a letter, and invoices that a person resolved.
    /// </summary>
    public required int Accepted { get; init; }

    /// <summary>Invoices that were not sent because the run ended early.</summary>
    public required int NotSent { get; init; }

    /// <summary>The requests that this run sent.</summary>
    public int Requests { get; init; }

    public double ElapsedSeconds { get; init; }
    public required string Store { get; init; }

    /// <summary>Null when the status file could not be written.</summary>
    public string? StatusFile { get; init; }

    [JsonIgnore]
    public IReadOnlyList<DeadLetter> Letters { get; init; } = [];

    public IReadOnlyList<LetterReport> DeadLetters => [.. Letters.Select(letter => new LetterReport(letter.Id, letter.Status))];

    /// <summary>Invoices that were not accepted and have a dead letter.</summary>
    public required IReadOnlyList<RowReport> Rows { get; init; }

    /// <summary>Invoices that were not accepted and have no dead letter.</summary>
    public required IReadOnlyList<RowReport> Lost { get; init; }

    /// <summary>The number of invoices in the sample's own API, and of those stored more than once; absent with --api.</summary>
    public int? Stored { get; init; }

    public int? Duplicated { get; init; }

    /// <summary>The alerts that were raised; absent without --alerts.</summary>
    public IReadOnlyList<Alert>? Alerts => AlertReport?.Alerts;

    public string? AlertsFor => AlertReport?.Webhook;

    [JsonIgnore]
    public AlertReport? AlertReport { get; init; }

    [JsonIgnore]
    public bool IsClean => Lost.Count == 0 && StoppedBy is null && Duplicated is null or 0;
}

/// <summary>A dead letter in <c>--json</c>; the tool http-resilience shows the whole.</summary>
internal sealed record LetterReport(Guid Id, DeadLetterStatus Status);
