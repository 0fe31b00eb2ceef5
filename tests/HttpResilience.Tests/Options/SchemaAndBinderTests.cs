using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;

namespace HttpResilience.Tests.Options;

/// <summary>What the schema says of a value, the host says of it when it starts.</summary>
public sealed class SchemaAndBinderTests
{
    private static readonly JsonObject Schema = JsonNode.Parse(ConfigurationSchema.Text)!.AsObject();

    // An empty text is null to the host: an environment variable cannot say it otherwise.
    // A duration beyond its limits is a text like any other to a schema: these are the values that it can judge.
    public static TheoryData<string, string> Values
    {
        get
        {
            var data = new TheoryData<string, string>();
            var shapes = HttpResilienceOptions.Keys.ShapesOf(new());
            foreach (var (path, shape) in All("", shapes).Concat(All("Routes:POST /exports/*:", ConfigurationSchema.OfRoute(shapes))))
            {
                foreach (string? json in Candidates(shape))
                    data.Add(path, json);
            }

            // Of the keys that cannot differ per route, any value is refused.
            foreach (var (path, _) in All("", shapes).Where(s => ClientWideSettings.ReasonFor(s.Path, isNull: true) is not null
                && !s.Path.StartsWith("ErrorBudget:", StringComparison.Ordinal)))
                data.Add($"Routes:POST /exports/*:{path}", "{}");
            return data;
        }
    }

    [Theory, MemberData(nameof(Values))]
    public void The_schema_and_the_host_agree(string path, string json)
    {
        string document = path.Split(':').Reverse()
            .Aggregate(json, (inner, key) => key == "0" ? $"[{inner}]" : $$"""{ "{{key}}": {{inner}} }""");
        document = $$"""{ "HttpResilience": { "Clients": { "api": {{document}} } } }""";

        var ofSchema = JsonSchema.Problems(Schema, JsonNode.Parse(document));

        (ofSchema.Count == 0).ShouldBe(!ProblemsOfHost(document, path).Any(), string.Join('\n', ofSchema));
    }

    [Fact]
    public void Every_kind_of_value_is_among_them() => Values.Count.ShouldBeGreaterThan(600);

    private static IEnumerable<string> ProblemsOfHost(string document, string path)
    {
        var configuration = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(document))).Build();
        var options = new HttpResilienceOptions();
        var problems = new List<string>();
        options.Bind(configuration.GetSection($"{OptionPath.Clients}:api"), OptionSource.Client);
        options.EndBinding(new(configuration, "api"));
        HttpResilienceOptions.Keys.Validate(options, options.Path, problems);
        foreach (var route in options.InRoutes)
            HttpResilienceOptions.Keys.Validate(route, route.Path, problems);
        problems.AddRange(options.BindingProblems);
        // Beside it another key may be missing.
        return problems.Where(p => p.StartsWith($"{OptionPath.Clients}:api:{path}", StringComparison.Ordinal));
    }

    private static IEnumerable<(string Path, OptionShape Shape)> All(string path, IReadOnlyList<OptionShape> shapes) =>
        shapes.SelectMany(IEnumerable<(string, OptionShape)> (shape) => shape switch
        {
            SectionShape section => [($"{path}{shape.Name}", shape), .. All($"{path}{shape.Name}:", section.Keys)],
            StatusSectionsShape statuses => [($"{path}{shape.Name}", shape), .. All($"{path}{shape.Name}:404:", statuses.Keys)],
            SectionListShape sections => [($"{path}{shape.Name}", shape), .. All($"{path}{shape.Name}:0:", sections.Keys)],
            _ => [($"{path}{shape.Name}", shape)],
        });

    private static IEnumerable<string> Candidates(OptionShape shape) => shape switch
    {
        IgnoredShape => ["\"anything\"", "5"],
        ConfigurationSchema.NullShape => ["null", "5", "\"00:00:05\""],
        SectionShape or StatusSectionsShape or RoutesShape => ["null", "[]", "[1]", "\"\"", "\"off\"", "false", "5"],
        SectionListShape => ["[]", "null", "\"off\"", "[5]", """{ "A": true }"""],
        ListShape => ["""["A", "B-c"]""", "[]", """["A", ""]""", "\"A\"", "null", """{ "A": true }""", """{ "A": "B" }""", "true"],
        IntegerListShape list =>
            [$"[{list.Min}, {list.Max}]", "[]", $"[{list.Min - 1}]", $"[{list.Max + 1}]", "[1.5]", "[\"x\"]", "1", "null"],
        ValueShape { Limits.Names: { } names } => [.. names.Select(n => $"\"{n}\""), "\"Nonsense\"", "true", "null"],
        ValueShape { Limits: { Min: int min, Max: int max } } =>
            [$"{min}", $"{max}", "\"x\"",
                "1.5", .. min == int.MinValue ? [] : new[] { $"{min - 1}" }, .. max == int.MaxValue ? [] : new[] { $"{max + 1}" }, "null"],
        ValueShape { Limits: { Min: double min, Max: double max } } =>
            [$"{min}", $"{max}", $"{min - 0.1}", $"{max + 0.1}", "\"x\"", "null"],
        ValueShape { Limits: { Min: TimeSpan min, Max: TimeSpan max } } =>
        [
            $"\"{ConfigurationSchema.Show(min)}\"", $"\"{ConfigurationSchema.Show(max)}\"",
            min > TimeSpan.FromMinutes(1) ? "\"01:00\"" : "\"00:01\"", "\"-00:00:01\"", "\"00:60:00\"", "\"soon\"", "true", "null",
            "\"24:00:00\"", "10", "\"10\"", "0.5", "\"1:00:00:00\"", "\"1.24:00:00\"", "\" 00:00:05\"", "\"5s\"",
        ],
        ValueShape value when value.Type == typeof(bool) => ["true", "false", "\"maybe\"", "1", "null"],
        ValueShape value when value.Type == typeof(Uri) =>
            ["\"https://a.test/\"", "\"http://a.test\"", "\"ftp://a.test\"", "\"/v1\"", "null"],
        ValueShape => ["\"X-Key\"", "\"a b\"", "\"\"", "null"],
        _ => throw new NotSupportedException(shape.ToString()),
    };
}
