using System.Text;
using System.Text.Json;

namespace HttpResilience.Tool;

/// <summary>The lines of a JSON file by the paths of its keys, as the configuration has them.</summary>
internal sealed class SettingsLines
{
    private readonly Dictionary<string, int> _lines = new(StringComparer.OrdinalIgnoreCase);

    private SettingsLines(string name) => Name = name;

    /// <summary>The file without its folder.</summary>
    internal string Name { get; }

    /// <summary>The line of a key, counted from 1; null when the file does not have it.</summary>
    internal int? Find(string path) => _lines.TryGetValue(path, out int line) ? line : null;

    /// <param name="file">The path of the file, which was read as configuration.</param>
    internal static SettingsLines Read(string file)
    {
        var lines = new SettingsLines(Path.GetFileName(file));
        byte[] text = File.ReadAllBytes(file);
        ReadOnlySpan<byte> json = text.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? text.AsSpan(Encoding.UTF8.Preamble.Length) : text;
        // As the provider of the configuration reads it.
        var reader = new Utf8JsonReader(
            json, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        lines.Read(ref reader, json);
        return lines;
    }

    private void Read(ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        // The path of each object or array that is open, and the index of the next item where it is an array.
        Stack<(string Path, int Index)> open = new();
        string next = "";
        int line = 1, counted = 0;
        while (reader.Read())
        {
            int at = (int)reader.TokenStartIndex;
            line += json[counted..at].Count((byte)'\n');
            counted = at;
            if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
            {
                open.Pop();
                continue;
            }

            if (reader.TokenType is JsonTokenType.PropertyName)
            {
                next = Below(open.Peek().Path, reader.GetString()!);
                _lines.TryAdd(next, line);
                continue;
            }

            string path = next;
            if (open.TryPeek(out var parent) && parent.Index >= 0)
            {
                open.Push(open.Pop() with { Index = parent.Index + 1 });
                path = Below(parent.Path, $"{parent.Index}");
                _lines.TryAdd(path, line);
            }

            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                open.Push((path, reader.TokenType is JsonTokenType.StartArray ? 0 : -1));
        }
    }

    private static string Below(string path, string key) => path.Length == 0 ? key : $"{path}:{key}";
}
