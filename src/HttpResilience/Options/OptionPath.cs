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

    /// <summary>The keys below <see cref="Root"/>.</summary>
    internal static readonly string[] RootKeys = [nameof(Defaults), nameof(Clients), "Storage", nameof(Alerts)];

    /// <summary>The section of the keys, when it is not a client.</summary>
    private string? Section { get; init; }

    /// <summary>The path of a section that is not a client.</summary>
    internal static OptionPath At(string section) => new(null, "") { Section = section };

    internal OptionPath Below(string key) => this with { Keys = $"{Keys}:{key}" };

    /// <summary>The full path of a key: below the defaults when it is set only there, else below the client.</summary>
    internal string Of(string? key)
    {
        string suffix = key is null ? Keys : $"{Keys}:{key}";
        if (Section is not null)
            return Section + suffix;
        string client = $"{Clients}:{ClientName}{suffix}";
        string defaults = Defaults + suffix;
        bool isDefault = Configuration is not null
            && !Configuration.GetSection(client).Exists() && Configuration.GetSection(defaults).Exists();
        return isDefault ? defaults : client;
    }

    internal static string Show(object? value) => value switch
    {
        null => "null",
        IFormattable number => $"'{number.ToString(null, CultureInfo.InvariantCulture)}'",
        _ => $"'{value}'",
    };
}
