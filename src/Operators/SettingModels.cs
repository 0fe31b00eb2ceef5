namespace HttpResilience.Operators;

/// <summary>A setting in force.</summary>
/// <param name="Key">Below the section of the client.</param>
/// <param name="Value">As the configuration writes it, secrets masked.</param>
/// <param name="Source">The source of the configuration, such as <c>appsettings.json</c>; else <c>code</c> or <c>default</c>.</param>
/// <param name="Path">The full path of its key; null when no configuration has it.</param>
/// <param name="Route">The route that it differs for.</param>
internal sealed record SettingModel(string Key, string Value, string Source, string? Path, string? Route);

/// <summary>The settings in force of a client.</summary>
/// <param name="Client">The client.</param>
/// <param name="Instance">The instance that obeys them.</param>
/// <param name="Settings">In the order of the documentation, those of routes last.</param>
/// <param name="Rejected">What is wrong with a later configuration, which is therefore not in force.</param>
internal sealed record SettingList(string Client, string Instance, IReadOnlyList<SettingModel> Settings, string? Rejected)
{
    internal static SettingList Of(ObservedClient client, string instance) => new(
        client.Name, instance,
        [.. ClientSettings.InForce(client).Select(s => new SettingModel(s.Key, s.Value, s.Source, s.Path, s.Route))],
        ClientSettings.RejectedReload(client));
}
