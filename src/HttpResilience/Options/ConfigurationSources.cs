using Microsoft.Extensions.Configuration;

namespace HttpResilience;

/// <summary>The sources of a configuration, as people call them.</summary>
internal static class ConfigurationSources
{
    private const string Unknown = "configuration", Suffix = "ConfigurationProvider";

    /// <summary>The source that a key has its value from: of several the last one.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <param name="path">The full path of the key, which may be a section.</param>
    /// <returns>Null when no source has the key.</returns>
    internal static string? Of(IConfiguration? configuration, string path) =>
        (configuration as IConfigurationRoot)?.Providers.Reverse().FirstOrDefault(source => Has(source, path)) is { } found
            ? NameOf(found) : null;

    /// <summary>The source where it is not known, because the section has a configuration of its own.</summary>
    internal static string NameOfUnknown => Unknown;

    // A key that is null counts, and a list has its items below it.
    private static bool Has(IConfigurationProvider source, string path) =>
        source.TryGet(path, out _) || source.GetChildKeys([], path).Any();

    // Of a file: JsonConfigurationProvider for 'appsettings.json' (Optional).
    private static string NameOf(IConfigurationProvider source)
    {
        string type = source.GetType().Name;
        string text = source.ToString() ?? type;
        if (text.Contains(" for ", StringComparison.Ordinal) && text.Split('\'') is [_, { Length: > 0 } file, ..])
            return file;
        return type switch
        {
            "EnvironmentVariablesConfigurationProvider" => "environment variables",
            "CommandLineConfigurationProvider" => "command line",
            "MemoryConfigurationProvider" => "memory",
            "ChainedConfigurationProvider" => "configuration of the host",
            _ => type.EndsWith(Suffix, StringComparison.Ordinal) && type.Length > Suffix.Length ? type[..^Suffix.Length] : type,
        };
    }
}
