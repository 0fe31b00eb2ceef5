namespace HttpResilience.Tool;

/// <summary>Explains a client of a host.</summary>
internal static class ClientExplanation
{
    private static readonly Dictionary<string, object?> BuiltIn =
        HttpResilienceOptions.Keys.ValuesOf(new()).ToDictionary(v => v.Path, v => v.Value, StringComparer.OrdinalIgnoreCase);

    /// <param name="host">The host with the client.</param>
    /// <param name="files">Its configuration.</param>
    /// <param name="client">The name of the client.</param>
    /// <param name="all">Also the settings that are written nowhere.</param>
    internal static ExplainedClient Of(ExplainedHost host, SettingsFiles files, string client, bool all)
    {
        var options = host.OptionsOf(client);
        return new(
            client, options.BaseAddress is { } address ? Show(address) : null, host.Clients.Find(client)!.Chain,
            [.. host.StagesOf(client).Select(stage => StageOf(stage, options))],
            [.. HttpResilienceOptions.Keys.ValuesOf(options).Select(v => SettingOf(options, files, v.Path, v.Value))
                .Where(setting => all || setting.Place is not null || !IsBuiltIn(setting))],
            [.. options.InRoutes.Select(route => new ExplainedRoute(
                route.Route!, [.. route.Differences.Select(v => SettingOf(route, files, v.Key, v.Value))]))]);
    }

    private static ExplainedStage StageOf(Type stage, HttpResilienceOptions options)
    {
        var (name, words) = ChainWords.Of(stage, options);
        return new(name, stage.Name, words);
    }

    private static ExplainedSetting SettingOf(HttpResilienceOptions options, SettingsFiles files, string key, object? value) =>
        new(key, Show(value), files.PlaceOf(options.PathOf(key)));

    private static bool IsBuiltIn(ExplainedSetting setting) =>
        BuiltIn.TryGetValue(setting.Key, out object? value) && Show(value) == setting.Value;

    // Credentials in an address are masked.
    private static string Show(object? value) => OptionPath.Show(value).Trim('\'');
}
