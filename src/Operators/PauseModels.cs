using System.Text.Json.Serialization;

namespace HttpResilience.Operators;

/// <summary>A pause of a client.</summary>
/// <param name="By">The person; null when its error budget paused it.</param>
/// <param name="ByText">The same for people.</param>
/// <param name="Since">When.</param>
/// <param name="Note">Why.</param>
internal sealed record PauseModel(string? By, string ByText, DateTimeOffset Since, string? Note)
{
    internal static PauseModel? Of(ErrorBudgetPause? last) =>
        last is not { IsPaused: true } ? null : new(last.By, last.By ?? "its error budget", last.At, last.Note);
}

/// <summary>What a pause of a client affects.</summary>
/// <param name="LettersWaiting">The letters that are to be sent and wait while it is paused.</param>
/// <param name="ObeyedBy">The instances that send nothing while it is paused.</param>
/// <param name="IgnoredBy">The instances that go on sending.</param>
/// <param name="Advice">What is missing; null when every instance obeys.</param>
internal sealed record PauseReachModel(
    long LettersWaiting, IReadOnlyList<string> ObeyedBy, IReadOnlyList<string> IgnoredBy, string? Advice)
{
    private const int NamesShown = 50;

    private const string Line = "builder.Services.AddHttpResilienceOperations() (package HttpResilience.Operations)";

    internal static PauseReachModel Of(ClientPauseReach reach)
    {
        ArgumentNullException.ThrowIfNull(reach);
        IReadOnlyList<string> obeying = NamesOf(reach.ObeyedBy), ignoring = NamesOf(reach.IgnoredBy);
        return new(reach.LettersWaiting, obeying, ignoring, AdviceOf(obeying, ignoring));
    }

    /// <summary>The clients that there are, for one who asked for another.</summary>
    internal static string KnownOf(ClientPauseReach reach)
    {
        ArgumentNullException.ThrowIfNull(reach);
        string more = reach.KnownClients.Count > NamesShown ? $" and {reach.KnownClients.Count - NamesShown} more" : "";
        return reach.KnownClients.Count == 0 ? "No instance has been seen within an hour, and no letter waits."
            : $"Known: {string.Join(", ", reach.KnownClients.Take(NamesShown))}{more}.";
    }

    /// <summary>Who paused or resumed a client, when, and why.</summary>
    internal static string Tell(ErrorBudgetPause? last) => last is null ? "It was never paused."
        : $"{(last.IsPaused ? "Paused" : "Resumed")} {last.At:u} by {last.By ?? (last.IsPaused ? "its error budget" : "its probes")}"
            + (last.Note is { Length: > 0 } note ? $": {note}" : ".");

    private static string? AdviceOf(IReadOnlyList<string> obeying, IReadOnlyList<string> ignoring) =>
        ignoring.Count > 0
            ? $"{string.Join(", ", ignoring)} {(ignoring.Count == 1 ? "goes" : "go")} on sending: a pause needs {Line} there."
        : obeying.Count == 0
            ? $"No running instance is known that obeys a pause of this client. It is stored, and applies where {Line} is called."
        : null;

    private static string[] NamesOf(IEnumerable<StorageInstance> instances) =>
        [.. instances.Select(i => i.Name).Order(StringComparer.Ordinal)];
}

/// <summary>Pause or resume a client.</summary>
/// <param name="Note">Why.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record PauseRequest(string? Note = null);

/// <summary>One client.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Instance">The instance that answers.</param>
/// <param name="Here">The client as this instance has it; null when it has not.</param>
/// <param name="Pause">Who paused it; null when nobody did.</param>
/// <param name="Reach">What a pause affects; null without a store.</param>
/// <param name="Budget">Its error budget, as this instance counts; null when there is none.</param>
/// <param name="Advice">What has to be added for what is missing.</param>
internal sealed record ClientDetail(
    string Name, string Instance, ClientModel? Here, PauseModel? Pause, PauseReachModel? Reach, BudgetModel? Budget, string? Advice);
