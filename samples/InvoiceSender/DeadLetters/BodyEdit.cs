using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using HttpResilience;

namespace InvoiceSender;

/// <summary>Corrects the body of a dead letter from fields, from a file or in the user's editor.</summary>
internal static class BodyEdit
{
    /// <returns>The new body; null when it equals the old one.</returns>
    public static async Task<byte[]?> CorrectAsync(
        DeadLetter letter, IReadOnlyList<string> fields, string? file, CancellationToken cancellationToken)
    {
        var corrected = file is not null ? Parse(await ReadAsync(file, cancellationToken), file)
            : fields.Count > 0 ? Set(letter, fields)
            : Parse(await EditAsync(letter, cancellationToken), "The edited text");
        return JsonNode.DeepEquals(letter.Json(), corrected) ? null : Encoding.UTF8.GetBytes(corrected.ToJsonString());
    }

    private static JsonObject Set(DeadLetter letter, IReadOnlyList<string> fields)
    {
        if (letter.Json() is not JsonObject body)
            throw new CommandException(
                "The body is not a JSON object, so --set cannot change a field. Replace the whole body with --body FILE.");

        foreach (var field in fields)
        {
            if (field.Split('=', 2) is not [{ Length: > 0 } name, var value])
                throw new CommandException($"--set \"{field}\" is not of the form field=value.");
            if (!body.TryGetPropertyValue(name, out var old))
                throw new CommandException($"The body has no field \"{name}\". It has: {string.Join(", ", body.Select(p => p.Key))}.");

            body[name] = old?.GetValueKind() is null or JsonValueKind.String ? JsonValue.Create(value) : ParseAs(old, name, value);
        }

        return body;
    }

    private static JsonNode ParseAs(JsonNode old, string name, string value)
    {
        var json = TryParse(value);
        return json is not null && IsSameKind(json.GetValueKind(), old.GetValueKind())
            ? json
            : throw new CommandException($"--set {name}: \"{value}\" is not of the same JSON type as {old.ToJsonString()}.");
    }

    private static bool IsSameKind(JsonValueKind one, JsonValueKind other) =>
        one == other || (one is JsonValueKind.True or JsonValueKind.False && other is JsonValueKind.True or JsonValueKind.False);

    private static JsonNode Parse(string text, string source) =>
        TryParse(text) ?? throw new CommandException($"{source} is not JSON; nothing was sent.");

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
            throw new CommandException(
                "No editor is configured: set EDITOR, or pass the correction with --set field=value or --body FILE.");

        var directory = Directory.CreateTempSubdirectory("dead-letter-");
        try
        {
            var file = Path.Combine(directory.FullName, $"{letter.Id}.json");
            await File.WriteAllTextAsync(file, letter.BodyText, cancellationToken);
            // EDITOR may contain arguments, such as "code --wait", so a shell starts it.
            using var process = Process.Start(OperatingSystem.IsWindows()
                ? new ProcessStartInfo("cmd", ["/c", $"{editor} {file}"])
                : new("sh", ["-c", $"{editor} \"$1\"", "sh", file]))!;
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0
                ? await ReadAsync(file, cancellationToken)
                : throw new CommandException($"The editor exited with code {process.ExitCode}; nothing was sent.");
        }
        catch (Win32Exception exception)
        {
            throw new CommandException($"Cannot start the editor \"{editor}\": {exception.Message}", exception);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
