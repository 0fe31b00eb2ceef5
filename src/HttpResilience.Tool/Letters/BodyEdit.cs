using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary>Corrects the body of a letter by fields, from a file, or in the editor of the person.</summary>
internal static class BodyEdit
{
    /// <returns>The new body; null when it is as before.</returns>
    /// <exception cref="ToolException">It cannot be corrected so.</exception>
    internal static async Task<byte[]?> CorrectAsync(
        DeadLetter letter, IReadOnlyList<string> fields, string? file, CancellationToken cancellationToken)
    {
        byte[] corrected = file is not null ? await ReadAsync(file, cancellationToken).ConfigureAwait(false)
            : fields.Count > 0 ? LetterBody.BytesOf(letter, Set(letter, fields))
            : await EditAsync(letter, cancellationToken).ConfigureAwait(false);
        return letter.Body is { } old && old.Span.SequenceEqual(corrected) ? null : corrected;
    }

    private static bool IsJson(DeadLetter letter) => LetterModel.ContentTypeOf(letter) is { } type
        && type.Split(';')[0].TrimEnd().EndsWith("json", StringComparison.OrdinalIgnoreCase);

    // Each value in its place: everything else stays as it was written.
    private static string Set(DeadLetter letter, IReadOnlyList<string> fields)
    {
        string text = LetterBody.TextOf(letter) ?? "";
        foreach (string field in fields)
        {
            if (field.Split('=', 2) is not [{ Length: > 0 } name, var value])
                throw new ToolException($"--set '{field}' is not of the form field=value.", ExitCode.Usage);
            byte[] json = Encoding.UTF8.GetBytes(text);
            var (kind, start, end) = JsonFields.Find(json, name);
            string written = kind is JsonValueKind.Null or JsonValueKind.String
                ? JsonSerializer.Serialize(value, ToolJson.Default.String) : OfKind(kind, name, value);
            text = $"{Encoding.UTF8.GetString(json[..start])}{written}{Encoding.UTF8.GetString(json[end..])}";
        }

        return text;
    }

    private static string OfKind(JsonValueKind kind, string name, string value)
    {
        try
        {
            using var json = JsonDocument.Parse(value);
            var given = json.RootElement.ValueKind;
            if (given == kind || (IsBoolean(given) && IsBoolean(kind)))
                return value;
        }
        catch (JsonException)
        {
            // Told with the others below.
        }

        throw new ToolException($"--set {name}: '{value}' is not of the same kind as the value before, {kind}.");
    }

    private static bool IsBoolean(JsonValueKind kind) => kind is JsonValueKind.True or JsonValueKind.False;

    private static async Task<byte[]> ReadAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllBytesAsync(file, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"The body cannot be read: {e.Message}", innerException: e);
        }
    }

    private static async Task<byte[]> EditAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        if ((Environment.GetEnvironmentVariable("VISUAL") ?? Environment.GetEnvironmentVariable("EDITOR")) is not { Length: > 0 } editor)
            throw new ToolException("No editor is set: set EDITOR, or give the correction with --set field=value or --body FILE.");

        // Readable by its owner only.
        var directory = Directory.CreateTempSubdirectory("http-resilience-");
        try
        {
            string file = Path.Combine(directory.FullName, $"{letter.Id}.{(IsJson(letter) ? "json" : "txt")}");
            await File.WriteAllBytesAsync(file, letter.Body?.ToArray() ?? [], cancellationToken).ConfigureAwait(false);
            // EDITOR may have arguments, such as "code --wait", so a shell starts it.
            using var process = Process.Start(OperatingSystem.IsWindows()
                ? new ProcessStartInfo("cmd", ["/c", $"{editor} {file}"])
                : new("sh", ["-c", $"{editor} \"$1\"", "sh", file]))!;
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return process.ExitCode == 0 ? await ReadAsync(file, cancellationToken).ConfigureAwait(false)
                : throw new ToolException($"The editor ended with code {process.ExitCode}; nothing was sent.");
        }
        catch (Win32Exception e)
        {
            throw new ToolException($"The editor '{editor}' cannot be started: {e.Message}", innerException: e);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
