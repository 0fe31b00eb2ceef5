using System.Collections.ObjectModel;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace HttpResilience;

/// <summary>Lists are stored as JSON: header fields as <c>[["Name","value"],…]</c>, in order; tags as an object.</summary>
[JsonSerializable(typeof(List<string[]>))]
[JsonSerializable(typeof(List<string>))]
[JsonSerializable(typeof(List<long[]>))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class StoredJson : JsonSerializerContext
{
    // People read it with database tools, and no page embeds it: characters beyond ASCII stay unescaped.
    private static readonly StoredJson Legible = new(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    internal static string Pairs(IEnumerable<KeyValuePair<string, string>> pairs) =>
        JsonSerializer.Serialize([.. pairs.Select(p => new[] { p.Key, p.Value })], Legible.ListStringArray);

    internal static IReadOnlyList<KeyValuePair<string, string>> Pairs(string json) =>
        [
            .. (JsonSerializer.Deserialize(json, Legible.ListStringArray) ?? throw Malformed("list of header fields")).Select(
                pair => pair is [{ } name, { } value] ? KeyValuePair.Create(name, value)
                    : throw Malformed("name and value of a header field")),
        ];

    internal static string Ranges(IEnumerable<BatchRange> ranges) =>
        JsonSerializer.Serialize([.. ranges.Select(r => new[] { r.From, r.To })], Legible.ListInt64Array);

    internal static IReadOnlyList<BatchRange> Ranges(string json) =>
        [
            .. (JsonSerializer.Deserialize(json, Legible.ListInt64Array) ?? throw Malformed("list of ranges")).Select(
                range => range is [var from, var to] ? new BatchRange(from, to) : throw Malformed("beginning and end of a range")),
        ];

    internal static string List(IEnumerable<string> values) => JsonSerializer.Serialize([.. values], Legible.ListString);

    internal static IReadOnlyList<string> List(string json) =>
        JsonSerializer.Deserialize(json, Legible.ListString) is { } list && !list.Contains(null!) ? list : throw Malformed("list of texts");

    internal static string Map(IReadOnlyDictionary<string, string> map) =>
        JsonSerializer.Serialize(new Dictionary<string, string>(map), Legible.DictionaryStringString);

    internal static IReadOnlyDictionary<string, string> Map(string json) =>
        JsonSerializer.Deserialize(json, Legible.DictionaryStringString) is { Count: > 0 } map
            ? map.ContainsValue(null!) ? throw Malformed("text of a tag") : map.AsReadOnly()
            : ReadOnlyDictionary<string, string>.Empty;

    private static FormatException Malformed(string missing) => new($"The JSON has no {missing}.");
}
