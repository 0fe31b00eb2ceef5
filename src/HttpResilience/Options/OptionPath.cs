using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace HttpResilience;

/// <summary>The path of options in the configuration: of a client, or of a separate section.</summary>
internal readonly record struct OptionPath(IConfiguration? Configuration, string ClientName, string Keys = "")
{
    internal const string Root = "HttpResilience";
    internal const string Defaults = $"{Root}:Defaults";
    internal const string Clients = $"{Root}:Clients";
    internal const string Alerts = $"{Root}:Alerts";
    internal const string Storage = $"{Root}:Storage";

    /// <summary>The keys below <see cref="Root"/>.</summary>
    internal static readonly string[] RootKeys = [nameof(Defaults), nameof(Clients), nameof(Storage), nameof(Alerts)];

    /// <summary>The sections that code has given the client; they are read after the one under its name, in this order.</summary>
    internal IReadOnlyList<IConfigurationSection> Own { get; init; } = [];

    /// <summary>The section of the keys, when it is not a client.</summary>
    private string? Section { get; init; }

    /// <summary>The path of a section that is not a client.</summary>
    internal static OptionPath At(string section) => new(null, "") { Section = section };

    internal OptionPath Below(string key) => this with { Keys = $"{Keys}:{key}" };

    /// <summary>The full path of a key where it is set; where it is set nowhere, below the client.</summary>
    internal string Of(string? key)
    {
        string suffix = key is null ? Keys : $"{Keys}:{key}";
        return Section is not null ? Section + suffix : (SectionWith(suffix)?.Path ?? (Own is [.., var own] ? own.Path : Client)) + suffix;
    }

    /// <summary>Where the configuration has a key.</summary>
    internal OptionSource SourceOf(string key) => SectionWith($"{Keys}:{key}")?.Path switch
    {
        null => OptionSource.BuiltIn,
        Defaults => OptionSource.Defaults,
        _ => OptionSource.Client,
    };

    private string Client => $"{Clients}:{ClientName}";

    // The most specific first.
    private IConfigurationSection? SectionWith(string suffix)
    {
        IConfigurationSection[] named = Configuration is null ? [] : [Configuration.GetSection(Client), Configuration.GetSection(Defaults)];
        return Own.Reverse().Concat(named).FirstOrDefault(section => suffix.Length == 0 ? section.Exists() : Has(section, suffix[1..]));
    }

    // A key that is null counts.
    private static bool Has(IConfigurationSection section, string path) =>
        path.LastIndexOf(':') is var end && (end < 0 ? section : section.GetSection(path[..end])).GetChildren()
            .Any(c => c.Key.Equals(path[(end + 1)..], StringComparison.OrdinalIgnoreCase));

    /// <summary>A section that is null, or that has no keys, which the configuration does not tell apart.</summary>
    internal static bool IsNull(IConfigurationSection section) => section.Value is null && !section.GetChildren().Any();

    /// <summary>Whether a key is the index of an item of a list.</summary>
    internal static bool IsIndex(string key) => key.All(char.IsAsciiDigit);

    internal static string Show(object? value) => value switch
    {
        null => "null",
        // Not only a URI: a host in a list may have a password, too.
        string or Uri when SafeUri($"{(value as Uri)?.OriginalString ?? value}") is var safe && safe.Contains("***") =>
            $"'{Visible(safe)}'",
        IFormattable number => $"'{number.ToString(null, CultureInfo.InvariantCulture)}'",
        _ => $"'{Visible($"{value}")}'",
    };

    // As the carriage return at the end of each line of a file that was written on Windows.
    private static string Visible(string text) => text.Any(char.IsControl)
        ? string.Concat(text.Select(c => c switch
        {
            '\r' => "\\r",
            '\n' => "\\n",
            '\t' => "\\t",
            _ when char.IsControl(c) => $"\\u{(int)c:x4}",
            _ => c.ToString(),
        }))
        : text;

    /// <summary>The value of a section, or its kind when it has keys. Sources are merged: it may have both.</summary>
    internal static string Show(IConfigurationSection section)
    {
        bool hasKeys = section.GetChildren().Any();
        if (section.Value is not null || !hasKeys)
            return $"{Show((object?)section.Value)}{(hasKeys ? " and has keys, too" : "")}";
        return section.GetChildren().All(c => IsIndex(c.Key)) ? "a list" : "a section";
    }

    /// <summary>A URI without its user-info and query, which may be secrets.</summary>
    private static string SafeUri(string uri)
    {
        int query = uri.IndexOf('?', StringComparison.Ordinal);
        string shown = query < 0 ? uri : $"{uri[..query]}?***";
        int at = shown.LastIndexOf('@'), scheme = shown.IndexOf("//", StringComparison.Ordinal);
        if (at < 0)
            return shown;
        string prefix = scheme >= 0 && scheme < at ? shown[..(scheme + 2)] : "";
        return $"{prefix}***{shown[at..]}";
    }
}
