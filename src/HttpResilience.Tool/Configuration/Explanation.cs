namespace HttpResilience.Tool;

/// <summary>A client in words: the output of <c>explain --json</c>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="BaseAddress">The address in its settings; null when code sets it.</param>
/// <param name="Chain">Chain and main settings in one line, as the log of the host has it.</param>
/// <param name="Stages">The stages that are in the chain, outermost first.</param>
/// <param name="Settings">The settings that are written somewhere, or all.</param>
/// <param name="Routes">What differs for routes.</param>
internal sealed record ExplainedClient(
    string Name, string? BaseAddress, string Chain, IReadOnlyList<ExplainedStage> Stages, IReadOnlyList<ExplainedSetting> Settings,
    IReadOnlyList<ExplainedRoute> Routes);

/// <summary>A stage of a chain.</summary>
internal sealed record ExplainedStage(string Name, string Handler, string Words);

/// <summary>A setting in force.</summary>
/// <param name="Key">Below the client.</param>
/// <param name="Value">As the configuration writes it.</param>
/// <param name="Place">File and line; null for the default of the package.</param>
internal sealed record ExplainedSetting(string Key, string Value, string? Place);

/// <summary>A route and what differs for it.</summary>
internal sealed record ExplainedRoute(string Route, IReadOnlyList<ExplainedSetting> Settings);

/// <summary>The output of <c>explain --json</c>.</summary>
/// <param name="Clients">The clients.</param>
/// <param name="Notes">What is odd but valid.</param>
/// <param name="Problems">Why a host would not start; then there are no clients.</param>
internal sealed record Explanation(
    IReadOnlyList<ExplainedClient> Clients, IReadOnlyList<string> Notes, IReadOnlyList<string> Problems);
