using System.Text.Json;
using System.Text.Json.Serialization;

namespace HttpResilience.Tool;

/// <summary>The JSON of what only the tool has.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(Explanation))]
[JsonSerializable(typeof(SimulationReport))]
[JsonSerializable(typeof(ChangeReport))]
internal sealed partial class ToolJson : JsonSerializerContext;
