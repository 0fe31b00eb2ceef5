using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using HttpResilience;

namespace InvoiceSender;

/// <summary>The corrected body of a letter: from fields, from a file, or from the user's editor.</summary>
internal static class BodyEdit
{
    /// <returns>The new body; null when it says the same as the old one.</returns>
    public static async Task<byte[]?> CorrectAsync(DeadLetter letter, IReadOnlyList<string> fields, string? file, CancellationToken cancellationToken)
    {
        var corrected = file is not null ? Parse(await ReadAsync(file, cancellationToken), file)
            : fields.Count > 0 ? Set(letter, fields)
            : Parse(await EditAsync(letter, cancellationToken), "What the editor left");
        return JsonNode.DeepEquals(letter.Json(), corrected) ? null : Encoding.UTF8.GetBytes(corrected.ToJsonString());
    }

    private static JsonObject Set(DeadLetter letter, IReadOnlyList<string> fields)
    {
        if (letter.Json() is not JsonObject body) throw new CommandException("The body is not a JSON object, so it has no fields to --set. Give it as a whole with --body FILE.");

        foreach (var field in fields)
        {
            if (field.Split('=', 2) is not [{ Length: > 0 } name, var value]) throw new CommandException($"--set \"{field}\" is not of the form field=value.");
            if (!body.TryGetPropertyValue(name, out var old)) throw new CommandException($"The body has no field \"{name}\". It has: {string.Join(", ", body.Select(property => property.Key))}.");

            body[name] = old?.GetValueKind() is null or JsonValueKind.String ? JsonValue.Create(value) : Like(old, name, value);
        }

        return body;
    }

    private static JsonNode Like(JsonNode old, string name, string value)
    {
        var json = TryParse(value);
        return json is not null && IsOneKind(json.GetValueKind(), old.GetValueKind())
            ? json
            : throw new CommandException($"--set {name}: \"{value}\" is not like {old.ToJsonString()}, which it replaces.");
    }

    private static bool IsOneKind(JsonValueKind one, JsonValueKind other) =>
        one == other || (one is JsonValueKind.True or JsonValueKind.False && other is JsonValueKind.True or JsonValueKind.False);

    private static JsonNode Parse(string text, string source) => TryParse(text) ?? throw new CommandException($"{source} is not JSON; nothing was sent.");

    private static JsonNode? TryParse(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async Task<string> ReadAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllTextAsync(file, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"Cannot read the body: {exception.Message}", exception);
        }
    }

    private static async Task<string> EditAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        if ((Environment.GetEnvironmentVariable("VISUAL") ?? Environment.GetEnvironmentVariable("EDITOR")) is not { Length: > 0 } editor)
            throw new CommandException("There is no editor: set EDITOR, or say the correction with --set field=value or --body FILE.");

        var directory = Directory.CreateTempSubdirectory("dead-letter-");
        try
        {
            var file = Path.Combine(directory.FullName, $"{letter.Id}.json");
            await File.WriteAllTextAsync(file, letter.BodyText, cancellationToken);
            // An editor may come with arguments, as in "code --wait"; the shell knows how to take them apart.
            using var process = Process.Start(OperatingSystem.IsWindows() ? new ProcessStartInfo("cmd", ["/c", $"{editor} {file}"]) : new("sh", ["-c", $"{editor} \"$1\"", "sh", file]))!;
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0 ? await ReadAsync(file, cancellationToken) : throw new CommandException($"The editor ended with {process.ExitCode}; nothing was sent.");
        }
        catch (Win32Exception exception)
        {
            throw new CommandException($"The editor \"{editor}\" does not start: {exception.Message}", exception);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
