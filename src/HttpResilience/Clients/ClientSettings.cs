namespace HttpResilience.Configuration;

/// <summary>The settings that the chain of a client obeys.</summary>
public static class ClientSettings
{
    private static readonly Dictionary<string, string> BuiltIn = HttpResilienceOptions.Keys.ValuesOf(new())
        .ToDictionary(v => v.Path, v => Show(v.Value), StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The settings in force, those of the last reload that was valid, and where each comes from. Those of a route follow those of the
    /// client, where they differ.
    /// </summary>
    /// <param name="client">One of <see cref="IResilientClients"/>.</param>
    public static IReadOnlyList<ClientSetting> InForce(ObservedClient client)
    {
        ArgumentNullException.ThrowIfNull(client);
        var options = ((Client)client).Options;
        return
        [
            .. HttpResilienceOptions.Keys.ValuesOf(options).Select(v => Of(options, v.Path, v.Value)),
            .. options.InRoutes.SelectMany(
                route => route.Differences.Select(v => Of(route, v.Key, v.Value) with { Route = route.Route })),
        ];
    }

    /// <summary>
    /// What is wrong with the configuration since its last change, so that the settings before it stay in force; null when nothing is.
    /// </summary>
    /// <param name="client">One of <see cref="IResilientClients"/>.</param>
    public static string? RejectedReload(ObservedClient client)
    {
        ArgumentNullException.ThrowIfNull(client);
        return ((Client)client).ReloadProblems;
    }

    private static ClientSetting Of(HttpResilienceOptions options, string key, object? value)
    {
        string shown = Show(value);
        switch (options.SourceOf(key, value))
        {
            case OptionSource.Code:
                return new(key, shown, ClientSetting.Code, null);
            case OptionSource.BuiltIn when PathOfSection(options, key, shown) is { } section:
                return new(key, shown, SourceOf(options, section), section);
            case OptionSource.BuiltIn:
                return new(key, shown, ClientSetting.Default, null);
            default:
                string path = options.PathOf(key);
                return new(key, shown, SourceOf(options, path), path);
        }
    }

    private static string SourceOf(HttpResilienceOptions options, string path) =>
        ConfigurationSources.Of(options.Path.Configuration, path) ?? ConfigurationSources.NameOfUnknown;

    // A value that is not the default, and whose key is written nowhere: a section that is null switches it off.
    private static string? PathOfSection(HttpResilienceOptions options, string key, string shown)
    {
        if (options.OfClient is not null || (BuiltIn.TryGetValue(key, out string? builtIn) && builtIn == shown))
            return null;
        for (int end = key.LastIndexOf(':'); end > 0; end = key.LastIndexOf(':', end - 1))
        {
            string section = key[..end];
            if (options.Path.SourceOf(section) is not OptionSource.BuiltIn)
                return options.Path.Of(section);
        }

        return null;
    }

    // Credentials in an address are masked.
    private static string Show(object? value) => OptionPath.Show(value).Trim('\'');
}
