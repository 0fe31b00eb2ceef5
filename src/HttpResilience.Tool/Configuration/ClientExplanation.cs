namespace HttpResilience.Tool;

/// <summary>Explains a client of a host.</summary>
internal static class ClientExplanation
{
    /// <param name="host">The host with the client.</param>
    /// <param name="files">Its configuration.</param>
    /// <param name="client">The name of the client.</param>
    /// <param name="all">Also the settings that are written nowhere.</param>
    internal static ExplainedClient Of(ExplainedHost host, SettingsFiles files, string client, bool all)
    {
        var options = host.OptionsOf(client);
        var settings = ClientSettings.InForce(host.Clients.Find(client)!);
        return new(
            client, options.BaseAddress is { } address ? Show(address) : null, host.Clients.Find(client)!.Chain,
            [.. host.StagesOf(client).Select(stage => StageOf(stage, options))],
            [.. settings.Where(s => s.Route is null && (all || s.Source != ClientSetting.Default)).Select(s => SettingOf(s, files))],
            [
                .. settings.Where(s => s.Route is not null).GroupBy(s => s.Route!)
                    .Select(route => new ExplainedRoute(route.Key, [.. route.Select(s => SettingOf(s, files))])),
            ]);
    }

    private static ExplainedStage StageOf(Type stage, HttpResilienceOptions options)
    {
        var (name, words) = ChainWords.Of(stage, options);
        return new(name, stage.Name, words);
    }

    private static ExplainedSetting SettingOf(ClientSetting setting, SettingsFiles files) =>
        new(setting.Key, setting.Value, setting.Path is { } path ? files.PlaceOf(path) : null);

    // Credentials in an address are masked.
    private static string Show(object? value) => OptionPath.Show(value).Trim('\'');
}
