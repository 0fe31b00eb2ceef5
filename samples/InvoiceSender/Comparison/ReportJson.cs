using System.Text.Json;
using System.Text.Json.Serialization;
using HttpResilience;

namespace InvoiceSender;

/// <summary>What <c>--json</c> prints.</summary>
internal sealed record ComparisonReport(int? Seed, bool Interrupted, IReadOnlyList<RunReport> Runs, [property: JsonIgnore] AlertReport? Told)
{
    /// <summary>What was told of the resilient run. Absent when nobody was.</summary>
    public IReadOnlyList<Alert>? Alerts => Told?.Alerts;

    /// <summary>Scheme, host and port of the webhook of --alerts.</summary>
    public string? AlertsFor => Told?.Webhook;

    /// <summary>The resilient run lost nothing and duplicated nothing, and was not stopped; at an API that is not ours: nothing failed.</summary>
    [JsonIgnore]
    public bool IsClean => Runs is [.., { Client: ClientKind.Resilient, NotFinished: 0 } run]
        && (run.Server is { } server ? server is { Lost: 0, Duplicated: 0 } : run.Failed.Count == 0);
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    WriteIndented = true,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ComparisonReport))]
[JsonSerializable(typeof(Alert))]
[JsonSerializable(typeof(KeptReport))]
[JsonSerializable(typeof(LetterView))]
[JsonSerializable(typeof(IReadOnlyList<LetterView>))]
internal sealed partial class ReportJson : JsonSerializerContext;
