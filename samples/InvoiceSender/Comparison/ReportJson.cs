using System.Text.Json;
using System.Text.Json.Serialization;

namespace InvoiceSender;

/// <summary>The output of <c>--json</c>.</summary>
internal sealed record ComparisonReport(
    int? Seed, bool Interrupted, IReadOnlyList<RunReport> Runs, [property: JsonIgnore] AlertReport? AlertReport)
{
    /// <summary>The alerts of the resilient runs; absent when alerts were off.</summary>
    public IReadOnlyList<Alert>? Alerts => AlertReport?.Alerts;

    /// <summary>Scheme, host and port of the webhook of --alerts.</summary>
    public string? AlertsFor => AlertReport?.Webhook;

    /// <summary>True when the resilient runs finished, lost nothing and duplicated nothing; with --api, when no invoice failed.</summary>
    [JsonIgnore]
    public bool IsClean => Runs.Where(run => run.Client is ClientKind.Resilient).All(run => run.NotFinished == 0
        && (run.Server is { } server ? server is { Lost: 0, Duplicated: 0 } : run.Failed.Count == 0));
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    WriteIndented = true,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ComparisonReport))]
[JsonSerializable(typeof(Alert))]
[JsonSerializable(typeof(DeadLetterRunReport))]
internal sealed partial class ReportJson : JsonSerializerContext;
