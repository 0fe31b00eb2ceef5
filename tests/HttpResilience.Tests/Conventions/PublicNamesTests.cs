using System.Reflection;
using System.Text.Json.Nodes;

namespace HttpResilience.Tests.Conventions;

/// <summary>Queries, alerts and configurations of users depend on these names: PublicNames.txt grows, and nothing in it changes.</summary>
public sealed class PublicNamesTests
{
    private static readonly ILookup<string, string> Listed = Read(
        Repository.Read("tests/HttpResilience.Tests/Conventions/PublicNames.txt"));

    [Fact]
    public void Every_log_event_keeps_its_id_its_name_its_category_and_its_placeholders()
    {
        // A type that takes two loggers has each of its events under two categories: the listed one is among them.
        var events = LogEvent.All.Select(e => e.Categories.Select(category => LineOf(e, category)).ToArray());

        ShouldHave("events", events.Select(lines => lines.FirstOrDefault(Listed["events"].Contains) ?? lines[0]));
    }

    // OperationsManualTests compares the manual with the code.
    [Fact]
    public void The_event_of_a_call_keeps_its_properties() =>
        ShouldHave("properties of a call", OperationsManual.Rows("Log events", "property").Select(row => row[0]));

    [Fact]
    public void Every_instrument_keeps_its_name_its_kind_and_its_unit() =>
        ShouldHave("instruments", OperationsManual.Rows("Metrics", "instrument").Select(row => $"{row[0]} {row[1]} {row[2]}".TrimEnd()));

    [Fact]
    public void Every_tag_keeps_its_name() => ShouldHave("tags", typeof(TelemetryTags)
        .GetFields(BindingFlags.Static | BindingFlags.NonPublic).Where(f => f.IsLiteral).Select(f => (string)f.GetRawConstantValue()!)
        .Append(ErrorBudgetGauges.WindowTag));

    [Fact]
    public void Every_option_keeps_its_key()
    {
        var schema = JsonNode.Parse(Repository.Read("src/HttpResilience/ConfigurationSchema.json"))!.AsObject();

        ShouldHave("option keys", KeysOf(schema, schema["definitions"]!.AsObject(), ""));
    }

    private static string LineOf(LogEvent e, string category) =>
        $"{e.Id} {e.Name} {category}{(e.Properties.Length > 0 ? $": {e.Properties}" : "")}";

    private static IEnumerable<string> KeysOf(JsonObject node, JsonObject definitions, string path)
    {
        if (node["$ref"] is { } reference)
            node = definitions[reference.GetValue<string>().Split('/')[^1]]!.AsObject();
        foreach (var (name, property) in node["properties"]?.AsObject() ?? [])
        {
            string key = path.Length == 0 ? name : $"{path}:{name}";
            yield return key;
            foreach (string below in KeysOf(property!.AsObject(), definitions, key))
                yield return below;
        }

        var unnamed =
            (node["patternProperties"]?.AsObject() ?? []).Select(p => p.Value).Append(node["additionalProperties"]).Append(node["items"]);
        foreach (string below in unnamed.OfType<JsonObject>().SelectMany(child => KeysOf(child, definitions, $"{path}:*")))
            yield return below;
    }

    private static void ShouldHave(string section, IEnumerable<string> names)
    {
        var listed = Listed[section].ToHashSet();
        var found = names.ToHashSet();

        listed.ShouldNotBeEmpty();
        listed.Except(found).ShouldBeEmpty($"Public names that the code no longer has ({section}); it has these that are not listed:\n"
            + string.Join('\n', found.Except(listed)));
        found.Except(listed).ShouldBeEmpty($"New names: add them to PublicNames.txt under [{section}].");
    }

    private static ILookup<string, string> Read(string text)
    {
        string section = "";
        List<(string Section, string Name)> names = [];
        foreach (string line in text.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0 && !l.StartsWith('#')))
        {
            if (line.StartsWith('['))
                section = line.Trim('[', ']');
            else
                names.Add((section, line));
        }

        return names.ToLookup(n => n.Section, n => n.Name);
    }
}
