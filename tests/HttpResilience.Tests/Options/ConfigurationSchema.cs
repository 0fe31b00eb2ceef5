using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace HttpResilience.Tests.Options;

/// <summary>The JSON schema (draft 7) of the configuration, made from the keys, the defaults and the doc comments of the options.</summary>
internal static class ConfigurationSchema
{
    private const string Client = "httpResilienceClient";
    private const string Route = "httpResilienceRoute";

    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly DocComments Comments = new("HttpResilience.xml", "HttpResilience.Operations.xml");

    public static string Text { get; } = Build().ToJsonString(Indented) + "\n";

    /// <summary>A duration as one writes it: <c>00:00:00.5</c>, not <c>00:00:00.5000000</c>.</summary>
    public static string Show(TimeSpan duration)
    {
        string text = duration.ToString("c", CultureInfo.InvariantCulture);
        return duration.Ticks % TimeSpan.TicksPerSecond == 0 ? text : text.TrimEnd('0');
    }

    private static JsonObject Build() => new()
    {
        // The names of all packages that have a schema stand side by side here.
        ["definitions"] = new JsonObject
        {
            [Client] = Section(
            HttpResilienceOptions.Keys.ShapesOf(new HttpResilienceOptions()), Comments.SummaryOf(typeof(HttpResilienceOptions))),
            [Route] = Section(
            OfRoute(HttpResilienceOptions.Keys.ShapesOf(new HttpResilienceOptions())), "What differs for this route.", isNullable: true),
        },
        ["type"] = "object",
        ["properties"] = new JsonObject { [OptionPath.Root] = Root() },
    };

    private static JsonObject Root()
    {
        var client = new JsonObject { ["$ref"] = $"#/definitions/{Client}" };
        var properties = new JsonObject();
        foreach (string key in OptionPath.RootKeys)
        {
            properties[key] = key switch
            {
                "Defaults" => client.DeepClone(),
                "Clients" => new JsonObject
                {
                    ["type"] =
                    "object",
                    ["description"] = "The clients by name, each over Defaults.",
                    ["additionalProperties"] = client.DeepClone()
                },
                "Storage" => Storage(),
                "Alerts" => Section(AlertOptions.Keys.ShapesOf(new AlertOptions()), Comments.SummaryOf(typeof(AlertOptions))),
                _ => throw new NotSupportedException($"What does {OptionPath.Root}:{key} hold?"),
            };
        }

        return new()
        {
            ["type"] = "object",
            ["description"] =
            "Clients with a resilience chain (HttpResilience).",
            ["properties"] = properties,
            ["additionalProperties"] = false
        };
    }

    private static JsonObject Storage() => new()
    {
        ["type"] = "object",
        ["description"] = "The durable store that AddHttpResilienceStorage opens, where code does not say it.",
        ["properties"] = new JsonObject
        {
            ["Application"] = new JsonObject
            {
                ["type"] = new JsonArray("string", "null"),
                ["description"] =
                    "The name by which programs that share a store tell their rows apart. Default: the name of the host's application.",
            },
            ["Provider"] = new JsonObject
            {
                ["type"] =
                "string",
                ["description"] = "Which store, when code names several.",
                ["enum"] = new JsonArray("Sqlite", "PostgreSql")
            },
            ["ConnectionString"] =
                new JsonObject { ["type"] = "string", ["description"] = "Which database, such as Data Source=resilience.db." },
            ["Schema"] = new JsonObject
            {
                ["type"] = "string",
                ["description"] = "The schema of the tables in PostgreSQL. Default: http_resilience.",
                ["pattern"] = "^(?!pg_)[a-z_][a-z0-9_]{0,49}$",
            },
        },
        ["additionalProperties"] = false,
    };

    private static JsonObject Section(IReadOnlyList<OptionShape> keys, string description, bool isNullable = false) => new()
    {
        ["type"] = isNullable ? new JsonArray("object", "null") : "object",
        ["description"] = description,
        ["properties"] = new JsonObject(keys.Select(key => KeyValuePair.Create<string, JsonNode?>(key.Name, Of(key)))),
        ["additionalProperties"] = false,
    };

    /// <summary>The shapes of the keys that may differ per route.</summary>
    public static IReadOnlyList<OptionShape> OfRoute(IReadOnlyList<OptionShape> shapes, string section = "") =>
        [.. shapes.Where(s => ClientWideSettings.ReasonFor(section + s.Name, isNull: true) is null).Select(s => s switch
        {
            SectionShape inner => inner with { Keys = OfRoute(inner.Keys, $"{section}{s.Name}:") },
            _ when ClientWideSettings.ReasonFor(section + s.Name, isNull: false) is not null => new NullShape(s.Options, s.Name),
            _ => s,
        })];

    private static JsonObject Of(OptionShape shape) => shape switch
    {
        NullShape => new() { ["type"] = "null", ["description"] = Comments.SummaryOf(shape.Options, shape.Name) },
        RoutesShape => new()
        {
            ["type"] = new JsonArray("object", "null"),
            ["description"] = Comments.SummaryOf(shape.Options, shape.Name),
            ["patternProperties"] = new JsonObject
            {
                [RoutePattern.FormOfKey] = new JsonObject { ["$ref"] = $"#/definitions/{Route}" },
            },
            ["additionalProperties"] = false,
        },
        SectionShape section => Section(section.Keys, Comments.SummaryOf(shape.Options, shape.Name), section.IsNullable),
        StatusSectionsShape statuses => new()
        {
            ["type"] = new JsonArray("object", "null"),
            ["description"] = Comments.SummaryOf(shape.Options, shape.Name),
            ["patternProperties"] = new JsonObject
            {
                ["^[45][0-9][0-9]$"] = Section(statuses.Keys, "What differs for this status.", isNullable: true),
            },
            ["additionalProperties"] = false,
        },
        ListShape list => new()
        {
            ["type"] = list.Default is null ? new JsonArray("array", "null") : "array",
            ["description"] = Comments.SummaryOf(shape.Options, shape.Name),
            ["items"] = new JsonObject { ["type"] = "string", ["pattern"] = list.Pattern },
            ["default"] = list.Default is null ? null : new JsonArray([.. list.Default.Select(v => (JsonNode)v)]),
        },
        IntegerListShape list => new()
        {
            ["type"] = "array",
            ["description"] = Comments.SummaryOf(shape.Options, shape.Name),
            ["items"] = new JsonObject { ["type"] = "integer", ["minimum"] = list.Min, ["maximum"] = list.Max },
            ["default"] = new JsonArray(),
        },
        SectionListShape sections => new()
        {
            ["type"] = "array",
            ["description"] = Comments.SummaryOf(shape.Options, shape.Name),
            ["items"] = Section(sections.Keys, Comments.SummaryOf(sections.Section)),
        },
        IgnoredShape => new() { ["description"] = "Passed over: another pipeline has this key." },
        ValueShape value => Of(value),
        _ => throw new NotSupportedException($"What is a {shape.GetType().Name}?"),
    };

    private static JsonObject Of(ValueShape value)
    {
        var type = Nullable.GetUnderlyingType(value.Type) ?? value.Type;
        bool isNullable = value.Limits is not { IsRequired: true }
            && (type != value.Type || value is { Type.IsValueType: false, Default: null });
        string name = type == typeof(bool) ? "boolean" : type == typeof(int) ? "integer" : type == typeof(double) ? "number" : "string";
        var schema = new JsonObject
        {
            ["type"] = isNullable ? new JsonArray(name, "null") : name,
            ["description"] = Comments.SummaryOf(value.Options, value.Name),
        };
        if (value.Limits?.Names is { } names)
            schema["enum"] = new JsonArray([.. names.Select(n => (JsonNode?)n), .. isNullable ? new JsonNode?[] { null } : []]);
        if (type == typeof(TimeSpan))
            schema["pattern"] = DurationText.Pattern;
        else if (value.Limits?.Pattern is { } pattern)
            schema["pattern"] = pattern;
        else if (value.Limits is { Min: { } min, Max: { } max })
            Bound(schema, min, max);
        // A default out of range is none: the key must be given.
        if (value.Limits is { IsRequired: true })
            return schema;
        if (value.Default is not int number || value.Limits is not { Min: int least } || number >= least)
            schema["default"] = Json(value.Default);
        return schema;
    }

    private static void Bound(JsonObject schema, object min, object max)
    {
        if (min is not int.MinValue)
            schema["minimum"] = Json(min);
        // Where the limit is that of the type, nobody cares to be told.
        if (max is not int.MaxValue)
            schema["maximum"] = Json(max);
    }

    /// <summary>A key that can only be null.</summary>
    internal sealed record NullShape(Type Options, string Name) : OptionShape(Options, Name);

    private static JsonValue? Json(object? value) => value switch
    {
        null => null,
        bool b => JsonValue.Create(b),
        int i => JsonValue.Create(i),
        double d => JsonValue.Create(d),
        TimeSpan t => JsonValue.Create(Show(t)),
        _ => JsonValue.Create(value.ToString()),
    };
}
