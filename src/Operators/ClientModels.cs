namespace HttpResilience.Operators;

/// <summary>A client as this instance knows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Chain">Its chain and main settings in one line.</param>
/// <param name="HoldsLettersBack">Letters of one of its hosts wait until the host works again.</param>
/// <param name="Hosts">The hosts it has called of late.</param>
/// <param name="Pause">Who paused it; null when nobody did.</param>
internal sealed record ClientModel(string Name, string Chain, bool HoldsLettersBack, IReadOnlyList<HostModel> Hosts, PauseModel? Pause)
{
    /// <param name="client">The client.</param>
    /// <param name="holds">What is held back in this instance.</param>
    /// <param name="last">The last time that it was paused or resumed; null when that is not known, or was never.</param>
    internal static ClientModel Of(ObservedClient client, IReadOnlyList<CircuitHold> holds, ErrorBudgetPause? last)
    {
        ArgumentNullException.ThrowIfNull(client);
        return new(
            client.Name, client.Chain, client.HoldsLettersBack,
            [.. client.ObservedHosts.Select(host => HostModel.Of(host, holds.FirstOrDefault(
                h => (h.ClientName, h.Authority, h.Tenant) == (client.Name, host.Authority, host.Tenant))))
                .OrderBy(h => h.Host, StringComparer.Ordinal)
                .ThenBy(h => h.Tenant, StringComparer.Ordinal)],
            PauseModel.Of(last));
    }
}

/// <summary>A host, or one tenant's part of it.</summary>
/// <param name="Host">Scheme, host and port.</param>
/// <param name="Tenant">The tenant; null for the host itself.</param>
/// <param name="Circuit">The state of its circuit: closed, open, half-open, isolated.</param>
/// <param name="CircuitText">The same for people.</param>
/// <param name="Hold">Who holds it back on all instances; null when nobody does.</param>
internal sealed record HostModel(string Host, string? Tenant, string Circuit, string CircuitText, HoldModel? Hold)
{
    internal static HostModel Of(ObservedHost host, CircuitHold? hold)
    {
        ArgumentNullException.ThrowIfNull(host);
        return new(
            host.Authority, host.Tenant, LetterWords.Of(host.CircuitState), LetterWords.Text(host.CircuitState),
            hold is null ? null : HoldModel.Of(hold));
    }
}

/// <summary>The clients of this instance, by name.</summary>
/// <param name="Instance">The machine and process that answered: circuits are its own.</param>
/// <param name="Clients">The clients.</param>
/// <param name="Advice">What could not be read; null when all could.</param>
internal sealed record ClientList(string Instance, IReadOnlyList<ClientModel> Clients, string? Advice);

/// <summary>Letters that nobody sends again.</summary>
/// <param name="Application">Whose they are; null when it is not known.</param>
/// <param name="Client">The client that no process has; null when no process sends letters of the application.</param>
/// <param name="Host">The host that this process leaves to another one; null for the other reasons.</param>
/// <param name="DueAt">When the first of them was due.</param>
internal sealed record UnreplayedModel(string? Application, string? Client, string? Host, DateTimeOffset DueAt)
{
    internal static UnreplayedModel Of(UnreplayedLetters letters)
    {
        ArgumentNullException.ThrowIfNull(letters);
        return new(letters.Application.Length == 0 ? null : letters.Application, letters.ClientName, letters.Authority, letters.DueAt);
    }
}

/// <summary>All of them.</summary>
internal sealed record UnreplayedList(IReadOnlyList<UnreplayedModel> Unreplayed);
