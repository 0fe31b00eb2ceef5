using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace HttpResilience;

/// <summary>Where the options of a client stand in the configuration.</summary>
internal readonly record struct OptionPath(IConfiguration? Configuration, string ClientName, string Keys = "")
{
    internal const string Root = "HttpResilience";
    internal const string Defaults = $"{Root}:Defaults";
    internal const string Clients = $"{Root}:Clients";

    /// <summary>The keys below <see cref="Root"/>.</summary>
    internal static readonly string[] RootKeys = [nameof(Defaults), nameof(Clients), "Storage"];

    internal OptionPath Below(string key) => this with { Keys = $"{Keys}:{key}" };

    /// <summary>The full path of a key: below the client where it is set there, below the defaults where it is set there only.</summary>
    internal string Of(string? key)
    {
        string suffix = key is null ? Keys : $"{Keys}:{key}";
        string client = $"{Clients}:{ClientName}{suffix}";
        string defaults = Defaults + suffix;
        return Configuration is not null && !Configuration.GetSection(client).Exists() && Configuration.GetSection(defaults).Exists() ? defaults : client;
    }

    internal static string Show(object? value) => value switch
    {
        null => "null",
        IFormattable number => $"'{number.ToString(null, CultureInfo.InvariantCulture)}'",
        _ => $"'{value}'",
    };
}
