using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace HttpResilience.Tests.Options;

/// <summary>
/// Checks a document against a schema (draft 7), as far as the schema here goes: a keyword that is not known here is an exception.
/// </summary>
internal static class JsonSchema
{
    /// <summary>What is wrong with the document, each with its path.</summary>
    public static IReadOnlyList<string> Problems(JsonObject schema, JsonNode? document)
    {
        var problems = new List<string>();
        Check(schema, schema, document, "", problems);
        return problems;
    }

    private static void Check(JsonObject root, JsonObject schema, JsonNode? value, string path, List<string> problems)
    {
        foreach (var (keyword, operand) in schema)
        {
            bool isMet = keyword switch
            {
                "definitions" or "description" or "default" or "properties" or "patternProperties" or "additionalProperties" => true,
                "$ref" => Follow(root, operand!, value, path, problems),
                "type" => operand is JsonArray types ? types.Any(t => IsOf(value, t!)) : IsOf(value, operand!),
                "enum" => operand!.AsArray().Any(choice => JsonNode.DeepEquals(choice, value)),
                "minimum" => !IsNumber(value, out double number) || number >= operand!.GetValue<double>(),
                "maximum" => !IsNumber(value, out double number) || number <= operand!.GetValue<double>(),
                "pattern" => !IsText(value, out string? text) || Regex.IsMatch(text!, operand!.GetValue<string>(), RegexOptions.ECMAScript),
                "items" => Each(root, operand!.AsObject(), value, path, problems),
                _ => throw new NotSupportedException($"The keyword {keyword} is not known here."),
            };
            if (!isMet)
                problems.Add($"{path}: {value?.ToJsonString() ?? "null"} is not of {keyword} {operand?.ToJsonString()}");
        }

        if (value is JsonObject document)
            CheckKeys(root, schema, document, path, problems);
    }

    private static void CheckKeys(JsonObject root, JsonObject schema, JsonObject document, string path, List<string> problems)
    {
        foreach (var (key, value) in document)
        {
            string here = $"{path}/{key}";
            if (schema["properties"]?[key] is JsonObject property)
                Check(root, property, value, here, problems);
            else if (schema["patternProperties"]?.AsObject().FirstOrDefault(p => Regex.IsMatch(key, p.Key)).Value is JsonObject matching)
                Check(root, matching, value, here, problems);
            else if (schema["additionalProperties"] is JsonObject additional)
                Check(root, additional, value, here, problems);
            else if (schema["additionalProperties"] is JsonValue)
                problems.Add($"{here}: no such key");
        }
    }

    private static bool Follow(JsonObject root, JsonNode reference, JsonNode? value, string path, List<string> problems)
    {
        JsonNode? target = root;
        foreach (string step in reference.GetValue<string>().Split('/').Skip(1))
            target = target?[step];
        Check(root, target!.AsObject(), value, path, problems);
        return true;
    }

    private static bool Each(JsonObject root, JsonObject schema, JsonNode? value, string path, List<string> problems)
    {
        foreach (var (index, item) in (value as JsonArray ?? []).Index())
            Check(root, schema, item, $"{path}/{index}", problems);
        return true;
    }

    private static bool IsOf(JsonNode? value, JsonNode type) => type.GetValue<string>() switch
    {
        "null" => value is null,
        "object" => value is JsonObject,
        "array" => value is JsonArray,
        "string" => IsText(value, out _),
        "boolean" => value is JsonValue b && b.TryGetValue(out bool _),
        "number" => IsNumber(value, out _),
        "integer" => IsNumber(value, out double number) && Math.Floor(number) == number,
        var other => throw new NotSupportedException($"The type {other} is not known here."),
    };

    private static bool IsText(JsonNode? value, out string? text)
    {
        text = null;
        return value is JsonValue v && v.TryGetValue(out text);
    }

    private static bool IsNumber(JsonNode? value, out double number)
    {
        number = 0;
        return value is JsonValue v && v.TryGetValue(out number);
    }
}
