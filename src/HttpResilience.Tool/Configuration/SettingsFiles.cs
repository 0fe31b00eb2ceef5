using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace HttpResilience.Tool;

/// <summary>The configuration of an application, as far as it stands in files.</summary>
internal sealed class SettingsFiles
{
    private const char ListSeparator = ',';
    private readonly SettingsLines[] _lines;

    private SettingsFiles(IConfigurationRoot configuration, SettingsLines[] lines) => (Configuration, _lines) = (configuration, lines);

    internal IConfigurationRoot Configuration { get; }

    internal string Names => string.Join(", ", _lines.Select(l => l.Name));

    /// <summary>The clients that have a section.</summary>
    internal IReadOnlyList<string> Clients =>
        [.. Configuration.GetSection(OptionPath.Clients).GetChildren().SelectMany(section => NamesIn(section, section.Key))];

    /// <exception cref="ToolException">A file is missing or not JSON.</exception>
    internal static SettingsFiles Read(IReadOnlyList<string> files)
    {
        var builder = new ConfigurationBuilder();
        foreach (string file in files)
        {
            if (!File.Exists(file))
                throw new ToolException($"There is no file {file}.");
            builder.AddJsonFile(Path.GetFullPath(file), optional: false);
        }

        try
        {
            return new(builder.Build(), [.. files.Select(SettingsLines.Read)]);
        }
        catch (InvalidDataException e)
        {
            // The inner exceptions have the place.
            var json = Causes(e).OfType<JsonException>().FirstOrDefault();
            string place = json?.LineNumber is { } line ? string.Create(CultureInfo.InvariantCulture, $", line {line + 1}") : "";
            string reason = (json ?? e.InnerException)?.Message.Split(" LineNumber:")[0] ?? "";
            throw new ToolException($"{e.Message.TrimEnd('.')}{place}: {reason}", innerException: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(e.Message, innerException: e);
        }
    }

    /// <summary>Where a key is written: <c>appsettings.json:12</c>. Null when it is written nowhere.</summary>
    internal string? PlaceOf(string path) => _lines.Reverse()
        .Select(l => l.Find(path) is { } line ? string.Create(CultureInfo.InvariantCulture, $"{l.Name}:{line}") : null)
        .FirstOrDefault(place => place is not null);

    /// <summary>The sentence of a problem, which begins with the path of a key, with the place of that key before it.</summary>
    internal string WithPlace(string problem)
    {
        string path = problem.Split(' ')[0].TrimEnd(ListSeparator, ':');
        for (; path.Length > 0; path = ConfigurationPath.GetParentPath(path) ?? "")
        {
            if (PlaceOf(path) is { } place)
                return $"{place}: {problem}";
        }

        return problem;
    }

    // The configuration splits the name of a client at a colon: that of https://api is a section in a section.
    private static IEnumerable<string> NamesIn(IConfigurationSection section, string name)
    {
        IConfigurationSection[] parts =
            [.. section.GetChildren().Where(c => c.Key.StartsWith("//", StringComparison.Ordinal))];
        return parts.Length == 0 ? [name] : parts.Select(part => $"{name}:{part.Key}");
    }

    private static IEnumerable<Exception> Causes(Exception exception)
    {
        for (var cause = exception.InnerException; cause is not null; cause = cause.InnerException)
            yield return cause;
    }
}
