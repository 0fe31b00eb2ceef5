using System.Text.Json.Nodes;

namespace HttpResilience.Tests.Dashboards;

/// <summary>ops/grafana/http-resilience.json.</summary>
internal static class GrafanaDashboard
{
    internal static JsonObject Root { get; } = JsonNode.Parse(Repository.Read("ops/grafana/http-resilience.json"))!.AsObject();

    internal static IReadOnlyList<JsonObject> All { get; } = [.. Root["panels"]!.AsArray().Select(p => p!.AsObject())];

    /// <summary>All but the headings of rows.</summary>
    internal static IEnumerable<JsonObject> Panels => All.Where(p => Text(p["type"]) != "row");

    internal static IEnumerable<JsonObject> Variables => Root["templating"]!["list"]!.AsArray().Select(v => v!.AsObject());

    internal static IEnumerable<JsonObject> Targets => Panels.SelectMany(p => p["targets"]!.AsArray()).Select(t => t!.AsObject());

    internal static string Text(JsonNode? node) => node?.GetValue<string>() ?? "";
}
