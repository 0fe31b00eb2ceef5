using HttpResilience.Operations;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>The clients of this instance, what is known of one, and its pause.</summary>
internal static class ClientLists
{
    internal const string NeedsOperations =
        "Error budgets, alerts and pauses need builder.Services.AddHttpResilienceOperations() (package HttpResilience.Operations).";

    private const string NoPauses = "Who paused a client is not known: the store does not answer.";

    private const int MaxNote = 10_000;

    private static string Instance => $"{Environment.MachineName}:{Environment.ProcessId}";

    internal static async Task ClientsAsync(ApiCall call)
    {
        var (pauses, advice) = await PausesAsync(call).ConfigureAwait(false);
        await call.WriteAsync(
            new(
                Instance,
                [
                    .. ClientsOf(call).OrderBy(c => c.Name, StringComparer.Ordinal)
                        .Select(c => ClientModel.Of(c, HeldHere(call), pauses.FirstOrDefault(p => p.ClientName == c.Name))),
                ],
                advice), OperatorJson.Default.ClientList).ConfigureAwait(false);
    }

    internal static async Task ClientAsync(ApiCall call)
    {
        string name = NameOf(call);
        var pauses = call.Context.RequestServices.GetService<ClientPauses>();
        var here = ClientOf(call, name);
        if (pauses is null)
        {
            if (here is null)
                throw NoClient(name, $"Known: {string.Join(", ", ClientsOf(call).Select(c => c.Name).Order(StringComparer.Ordinal))}.");
            await WriteAsync(call, name, null).ConfigureAwait(false);
            return;
        }

        ClientPauseReach reach;
        try
        {
            reach = await pauses.FindAsync(name, call.Reading).ConfigureAwait(false);
        }
        catch (Exception e) when (here is not null && IsStoreAway(call, e))
        {
            // What this instance knows helps most while the store is away.
            await WriteAsync(call, name, null, NoPauses).ConfigureAwait(false);
            return;
        }

        await WriteAsync(call, name, Known(reach)).ConfigureAwait(false);
    }

    internal static Task SettingsAsync(ApiCall call)
    {
        string name = NameOf(call);
        var client = ClientOf(call, name) ?? throw NoClient(
            name, $"This instance has: {string.Join(", ", ClientsOf(call).Select(c => c.Name).Order(StringComparer.Ordinal))}.");
        return call.WriteAsync(SettingList.Of(client, Instance), OperatorJson.Default.SettingList);
    }

    internal static Task BudgetsAsync(ApiCall call)
    {
        var budgets = call.Context.RequestServices.GetService<IErrorBudgets>();
        return call.WriteAsync(
            new(Instance, [.. (budgets?.List() ?? []).Select(BudgetModel.Of)], budgets is null ? NeedsOperations : null),
            OperatorJson.Default.BudgetList);
    }

    internal static Task PauseAsync(ApiCall call) => ChangeAsync(
        call, (pauses, name, note) => pauses.PauseAsync(name, call.By, note, call.Aborted), "is paused already");

    internal static Task ResumeAsync(ApiCall call) => ChangeAsync(
        call, (pauses, name, note) => pauses.ResumeAsync(name, call.By, note, call.Aborted), "is not paused");

    private static async Task ChangeAsync(
        ApiCall call, Func<ClientPauses, string, string?, Task<ClientPauseResult>> change, string already)
    {
        var request = await call.ReadAsync(OperatorJson.Default.PauseRequest).ConfigureAwait(false);
        string? note = string.IsNullOrWhiteSpace(request.Note) ? null : request.Note.Trim();
        if (note?.Length > MaxNote)
            throw ApiProblemException.NotValid("note", $"It has at most {MaxNote} characters.");
        // Says how to turn the store on when there is none.
        _ = call.Review;
        string name = NameOf(call);
        var pauses = call.Context.RequestServices.GetRequiredService<ClientPauses>();
        Known(await pauses.FindAsync(name, call.Reading).ConfigureAwait(false));
        var result = await change(pauses, name, note).ConfigureAwait(false);
        // The second click of one person shows what the first one did.
        if (!result.IsChanged && result.Last?.By != call.By)
            throw ApiProblemException.Of(
                StatusCodes.Status409Conflict, $"Client '{name}' {already}. Nothing was done.", PauseReachModel.Tell(result.Last));
        await WriteAsync(call, name, await pauses.FindAsync(name, call.Aborted).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private static Task WriteAsync(ApiCall call, string name, ClientPauseReach? reach, string? advice = null)
    {
        var budgets = call.Context.RequestServices.GetService<IErrorBudgets>();
        var budget = budgets?.List().FirstOrDefault(b => b.ClientName == name);
        return call.WriteAsync(
            new(
                name, Instance, ClientOf(call, name) is { } client ? ClientModel.Of(client, HeldHere(call), reach?.Last) : null,
                PauseModel.Of(reach?.Last), reach is null ? null : PauseReachModel.Of(reach),
                budget is null ? null : BudgetModel.Of(budget), advice ?? (budgets is null ? NeedsOperations : null)),
            OperatorJson.Default.ClientDetail);
    }

    // As this instance last read the store: what it knows of its own circuits does not need it.
    private static IReadOnlyList<CircuitHold> HeldHere(ApiCall call) =>
        call.Context.RequestServices.GetService<CircuitHolds>()?.HeldHere ?? [];

    private static async Task<(IReadOnlyList<ErrorBudgetPause> Pauses, string? Advice)> PausesAsync(ApiCall call)
    {
        if (call.Context.RequestServices.GetService<ClientPauses>() is not { } pauses)
            return ([], null);
        try
        {
            return (await pauses.ListAsync(call.Reading).ConfigureAwait(false), null);
        }
        catch (Exception e) when (IsStoreAway(call, e))
        {
            // Circuits are known without the store.
            return ([], NoPauses);
        }
    }

    private static bool IsStoreAway(ApiCall call, Exception exception) => exception is HttpResilienceStorageException
        || (exception is OperationCanceledException && !call.Aborted.IsCancellationRequested);

    private static IReadOnlyList<ObservedClient> ClientsOf(ApiCall call) =>
        call.Context.RequestServices.GetService<IResilientClients>()?.List() ?? [];

    internal static ObservedClient? ClientOf(ApiCall call, string name) => ClientsOf(call).FirstOrDefault(c => c.Name == name);

    // Routing leaves a slash in a part of the path as it was encoded.
    internal static string NameOf(ApiCall call) =>
        ((string)call.Context.Request.RouteValues["name"]!).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    private static ClientPauseReach Known(ClientPauseReach reach) =>
        reach.IsKnown ? reach : throw NoClient(reach.ClientName, PauseReachModel.KnownOf(reach));

    private static ApiProblemException NoClient(string name, string known) =>
        ApiProblemException.NotFound($"There is no client '{(name.Length <= 100 ? name : name[..100])}'.", known);
}
