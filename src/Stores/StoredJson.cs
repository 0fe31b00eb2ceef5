using System.Collections.ObjectModel;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace HttpResilience;

/// <summary>Lists are stored as JSON: header fields as <c>[["Name","value"],…]</c>, in order; tags as an object.</summary>
[JsonSerializable(typeof(List<string[]>))]
[JsonSerializable(typeof(List<string>))]
[JsonSerializable(typeof(List<long[]>))]
[JsonSerializable(typeof(Dictionary<string, List<string[]>>))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(List<LetterEvent>))]
[JsonSerializable(typeof(LetterJobRequest))]
[JsonSerializable(typeof(StoredReport))]
internal sealed partial class StoredJson : JsonSerializerContext
{
    private const string Protected = "protected", NoEntries = "{}";

    // People read it with database tools, and no page embeds it: characters beyond ASCII stay unescaped.
    private static readonly StoredJson Legible = new(new JsonSerializerOptions
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters =
        {
            new EventKindConverter(), new JsonStringEnumConverter<DeadLetterStatus>(),
            new JsonStringEnumConverter<FailureClass>(), new JsonStringEnumConverter<LetterJobAction>(),
        },
    });

    internal static string Pairs(IEnumerable<KeyValuePair<string, string>> pairs) =>
        JsonSerializer.Serialize([.. pairs.Select(p => new[] { p.Key, p.Value })], Legible.ListStringArray);

    internal static IReadOnlyList<KeyValuePair<string, string>> Pairs(string json) =>
        Pairs(JsonSerializer.Deserialize(json, Legible.ListStringArray));

    private static IReadOnlyList<KeyValuePair<string, string>> Pairs(List<string[]>? pairs) =>
        [
            .. (pairs ?? throw Malformed("list of header fields")).Select(
                pair => pair is [{ } name, { } value] ? KeyValuePair.Create(name, value)
                    : throw Malformed("name and value of a header field")),
        ];

    /// <summary>
    /// The header fields of a letter. Those of a protected letter are an object, which versions from before cannot read: they must not send
    /// its body.
    /// </summary>
    internal static string HeadersOf(DeadLetter letter) => letter.ProtectedWith is null ? Pairs(letter.Headers)
        : $$"""{"{{Protected}}":{{Pairs(letter.Headers)}}}""";

    internal static IReadOnlyList<KeyValuePair<string, string>> Headers(string json) =>
        json == "[]" ? [] : !json.StartsWith('{') ? Pairs(json)
            : Pairs(JsonSerializer.Deserialize(json, Legible.DictionaryStringListStringArray)?.GetValueOrDefault(Protected));

    /// <exception cref="HttpResilienceStorageException">The letter is to be protected, and is not.</exception>
    internal static string? KeyOf(DeadLetter letter) => letter.ProtectedWith is not "" ? letter.ProtectedWith
        : throw new HttpResilienceStorageException(
            "The letter must be protected, and this store does not encrypt it: resolve IDeadLetterStore, which AddHttpResilienceStorage "
            + "registers, from the container.");

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

    internal static string Map(IReadOnlyDictionary<string, string> map) => map.Count == 0 ? NoEntries
        : JsonSerializer.Serialize(new Dictionary<string, string>(map), Legible.DictionaryStringString);

    internal static IReadOnlyDictionary<string, string> Map(string json) =>
        json != NoEntries && JsonSerializer.Deserialize(json, Legible.DictionaryStringString) is { Count: > 0 } map
            ? map.ContainsValue(null!) ? throw Malformed("text of a tag") : map.AsReadOnly()
            : ReadOnlyDictionary<string, string>.Empty;

    /// <summary>
    /// The text that <see cref="Map(IReadOnlyDictionary{string, string})"/> has for one entry, between braces and commas.
    /// </summary>
    internal static string Entry(KeyValuePair<string, string> entry) =>
        Map(new Dictionary<string, string> { [entry.Key] = entry.Value })[1..^1];

    internal static string History(IReadOnlyList<LetterEvent> events) =>
        JsonSerializer.Serialize(events as List<LetterEvent> ?? [.. events], Legible.ListLetterEvent);

    internal static IReadOnlyList<LetterEvent> History(string json) =>
        JsonSerializer.Deserialize(json, Legible.ListLetterEvent) is { } events && !events.Contains(null!) ? events
            : throw Malformed("list of events");

    internal static string Request(LetterJobRequest request) => JsonSerializer.Serialize(request, Legible.LetterJobRequest);

    internal static LetterJobRequest Request(string json) =>
        JsonSerializer.Deserialize(json, Legible.LetterJobRequest) is { Query: not null, By: not null } request ? request
            : throw Malformed("request of a job");

    internal static string? Report(InstanceReport? report) =>
        report is null ? null : JsonSerializer.Serialize(HttpResilience.StoredReport.Of(report), Legible.StoredReport);

    /// <summary>Null when there is none, or it cannot be read.</summary>
    internal static InstanceReport? Report(string? json) =>
        HttpResilience.StoredReport.Read(json, static text => JsonSerializer.Deserialize(text, Legible.StoredReport));

    /// <summary>What only one running job may change: the group, or the hash of another filter.</summary>
    internal static string SubjectOf(LetterJobRequest request) => request.Query is { Fingerprint: { } group } query
        && query == new DeadLetterQuery { Fingerprint = group } ? group
        : Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(
            new LetterJobRequest { Action = default, By = "", Query = request.Query }, Legible.LetterJobRequest)));

    /// <summary>The processes that observe something, with the times in microseconds since 1970.</summary>
    internal static string Sightings(IReadOnlyDictionary<Guid, DateTimeOffset> seenBy) => Map(seenBy.ToDictionary(
        s => s.Key.ToString("D"), s => StoredTime.Microseconds(s.Value).ToString(CultureInfo.InvariantCulture)));

    /// <summary>What cannot be read, after a manual edit, counts as not observed.</summary>
    internal static IReadOnlyDictionary<Guid, DateTimeOffset> Sightings(string json)
    {
        Dictionary<Guid, DateTimeOffset> seenBy = [];
        try
        {
            foreach (var (process, time) in Map(json))
            {
                if (System.Guid.TryParse(process, out var id) && long.TryParse(time, CultureInfo.InvariantCulture, out long microseconds))
                    seenBy[id] = StoredTime.Nearest(microseconds);
            }
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            // Nothing of it can be read.
        }

        return seenBy;
    }

    /// <summary>A kind of a newer version does not make the letter unreadable.</summary>
    private sealed class EventKindConverter : JsonConverter<LetterEventKind>
    {
        public override LetterEventKind Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType is JsonTokenType.String
                ? StoredText.NamedOrNull<LetterEventKind>(reader.GetString()!) ?? Storage.LetterEventKind.Other
                : throw new JsonException("The kind of an event is not a text.");

        public override void Write(Utf8JsonWriter writer, LetterEventKind value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }

    private static FormatException Malformed(string missing) => new($"The JSON has no {missing}.");
}
