namespace HttpResilience.Configuration;

/// <summary>A setting in force of a client.</summary>
/// <param name="Key">Its key below the section of the client, such as <c>Retry:MaxRetryAttempts</c>.</param>
/// <param name="Value">
/// Its value as the configuration writes it. User information and query of a URI, which may be secrets, are masked.
/// </param>
/// <param name="Source">
/// Where it comes from: a source of the configuration, such as <c>appsettings.json</c> or <c>environment variables</c>, else <see
/// cref="Code"/> or <see cref="Default"/>.
/// </param>
/// <param name="Path">The full path of its key where it is written; null when no configuration has it.</param>
public sealed record ClientSetting(string Key, string Value, string Source, string? Path)
{
    /// <summary>The source of a value that the application's code sets.</summary>
    public const string Code = "code";

    /// <summary>The source of a value that is set nowhere.</summary>
    public const string Default = "default";

    /// <summary>The route that it differs for; null for the client itself.</summary>
    public string? Route { get; init; }
}
