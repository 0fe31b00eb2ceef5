using HttpResilience.Operations;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>Clients: how they fare, who paused them, and the hosts that are held back.</summary>
internal static class ClientPages
{
    private const int MaxGroups = 1000, MaxNote = 1000;

    internal static string ThisInstance { get; } = $"{Environment.MachineName}:{Environment.ProcessId}";

    internal static async Task<PageAnswer> ClientsAsync(PageCall call)
    {
        var groups = await GroupsAsync(call, new()).ConfigureAwait(false);
        var rows = await RowsAsync(call, groups).ConfigureAwait(false);
        return new PageAnswer.Page(typeof(Pages.ClientsPage), rows, "Clients", "clients") { IsLive = true };
    }

    internal static async Task<PageAnswer> ClientAsync(PageCall call)
    {
        string name = ClientLists.NameOf(call.Api);
        var groups = await GroupsAsync(call, new() { ClientName = name }).ConfigureAwait(false);
        var row = (await RowsAsync(call, groups).ConfigureAwait(false)).FirstOrDefault(r => r.Client.Name == name) ?? throw NoClient(name);
        var services = call.Context.RequestServices;
        var holds = services.GetService<CircuitHolds>();
        bool showsAll = call.Query("settings") == "all";
        var settings = ClientSettings.InForce(row.Client);
        var model = new ClientPageModel
        {
            Row = row,
            Instance = ThisInstance,
            Circuits = holds is null ? null
                : await call.TryReadAsync(token => holds.ListAsync(name, token)).ConfigureAwait(false),
            Pause = row.Pause,
            // The client of alerts is not the application's.
            CanPause = services.GetService<ClientPauses>() is not null && !name.StartsWith("HttpResilience.", StringComparison.Ordinal),
            Budget = row.Budget,
            Settings = [.. settings.Where(s => showsAll || s.Source != ClientSetting.Default)],
            ShowsAll = showsAll,
            Rejected = ClientSettings.RejectedReload(row.Client),
        };
        return new PageAnswer.Page(typeof(Pages.ClientPage), model, name, "clients") { IsLive = true };
    }

    internal static async Task<PageAnswer> AskPauseAsync(PageCall call)
    {
        string name = ClientLists.NameOf(call.Api);
        ThrowIfViewer(call);
        var reach = PauseReachModel.Of(await KnownAsync(call, name).ConfigureAwait(false));
        List<(string, string)> facts =
        [
            ("What happens", "Calls fail at once, nothing is sent"),
            ("Letters", $"{PageTimes.Count(reach.LettersWaiting, "letter waits", "letters wait")} until it is resumed"),
            ("Instances", reach.ObeyedBy.Count == 0 ? "none obeys it now" : string.Join(", ", reach.ObeyedBy)),
        ];
        if (reach.Advice is { } advice)
            facts.Add(("But", advice));
        facts.Add(("If you change your mind", "Resume lets calls through again within ten seconds"));
        var model = new AskModel(
            $"Pause {name}?", $"clients/{Uri.EscapeDataString(name)}/pause", $"Pause {name}", $"clients/{Uri.EscapeDataString(name)}")
        {
            Facts = facts,
            Fields = [],
            NotesLabel = "Why",
        };
        return new PageAnswer.Page(typeof(Pages.AskPage), model, model.Heading, "clients");
    }

    internal static Task<PageAnswer> PauseAsync(PageCall call) => SetPauseAsync(
        call, (pauses, name, note) => pauses.PauseAsync(name, call.By, note, call.Aborted), PageMessages.Paused, "is paused already");

    internal static Task<PageAnswer> ResumeAsync(PageCall call) => SetPauseAsync(
        call, (pauses, name, note) => pauses.ResumeAsync(name, call.By, note, call.Aborted), PageMessages.Resumed, "is not paused");

    internal static async Task<PageAnswer> AskHoldAsync(PageCall call)
    {
        string name = ClientLists.NameOf(call.Api), host = call.Query("host"), tenant = call.Query("tenant");
        ThrowIfViewer(call);
        var instances = (await Holds(call).InstancesAsync(call.Reading).ConfigureAwait(false))
            .Where(i => (call.Now - i.SeenAt).Duration() < OverviewPages.SeenLately).ToList();
        var groups = await GroupsAsync(call, new() { ClientName = name, Authority = AuthorityOf(host).Name }).ConfigureAwait(false);
        long letters = groups.Sum(g => g.Pending + g.InProgress);
        var model = new AskModel(
            $"Hold {AuthorityOf(host).Name} back?", $"clients/{Uri.EscapeDataString(name)}/hold",
            $"Hold {AuthorityOf(host).Name} back", $"clients/{Uri.EscapeDataString(name)}")
        {
            Sub = tenant.Length == 0 ? name : $"{name}, tenant {tenant}",
            Facts =
            [
                ("What happens", "Calls to it fail at once, nothing is sent"),
                ("Letters", $"{PageTimes.Count(letters, "letter waits", "letters wait")} until it is let through"),
                ("Instances", instances.Count == 0 ? "this one" : string.Join(
                    ", ", instances.Select(i => ForeignText.Visible(i.Name, 80)))),
                ("If you change your mind", "Let through works within ten seconds"),
            ],
            Fields = [("host", AuthorityOf(host).Name), ("tenant", tenant)],
            NotesLabel = "Why",
        };
        return new PageAnswer.Page(typeof(Pages.AskPage), model, model.Heading, "clients");
    }

    internal static Task<PageAnswer> HoldAsync(PageCall call) => SetHoldAsync(
        call, (holds, name, host, note, tenant) => holds.HoldBackAsync(name, host, call.By, note, tenant, call.Aborted), PageMessages.Held);

    internal static Task<PageAnswer> ReleaseAsync(PageCall call) => SetHoldAsync(
        call, (holds, name, host, note, tenant) => holds.LetThroughAsync(name, host, call.By, note, tenant, call.Aborted),
        PageMessages.Released);

    /// <summary>Those with something wrong first, then by name.</summary>
    internal static async Task<IReadOnlyList<ClientRow>> RowsAsync(PageCall call, IReadOnlyList<DeadLetterGroup> groups)
    {
        var services = call.Context.RequestServices;
        var byClient = groups.ToLookup(g => g.Newest.ClientName);
        var pauses = services.GetService<ClientPauses>() is { } all
            ? await call.TryReadAsync(all.ListAsync).ConfigureAwait(false) ?? [] : [];
        var budgets = services.GetService<IErrorBudgets>()?.List() ?? [];
        var clients = services.GetService<IResilientClients>()?.List() ?? [];
        return [.. clients
            .Select(c => new ClientRow(c, byClient[c.Name].Sum(g => g.Count), byClient[c.Name].Sum(g => g.RequiresReview))
            {
                Pause = PauseModel.Of(pauses.FirstOrDefault(p => p.ClientName == c.Name)),
                Budget = budgets.FirstOrDefault(b => b.ClientName == c.Name),
            })
            .OrderByDescending(r => r.IsConspicuous).ThenBy(r => r.Client.Name, StringComparer.Ordinal)];
    }

    private static async Task<PageAnswer> SetPauseAsync(
        PageCall call, Func<ClientPauses, string, string?, Task<ClientPauseResult>> change, string did, string already)
    {
        string name = ClientLists.NameOf(call.Api);
        await KnownAsync(call, name).ConfigureAwait(false);
        var result = await change(Pauses(call), name, NoteOf(call)).ConfigureAwait(false);
        // The second click of one person shows what the first one did.
        return result.IsChanged || result.Last?.By == call.By
            ? new PageAnswer.SeeOther($"clients/{Uri.EscapeDataString(name)}?did={did}")
            : throw ApiProblemException.Of(
                StatusCodes.Status409Conflict, $"{name} {already}. Nothing was done", PauseReachModel.Tell(result.Last));
    }

    private static async Task<PageAnswer> SetHoldAsync(
        PageCall call, Func<CircuitHolds, string, Uri, string?, string?, Task<CircuitHold>> change, string did)
    {
        string name = ClientLists.NameOf(call.Api), tenant = call.Field("tenant");
        try
        {
            await change(Holds(call), name, AuthorityOf(call.Field("host")).Uri, NoteOf(call), tenant.Length == 0 ? null : tenant)
                .ConfigureAwait(false);
        }
        catch (KeyNotFoundException e)
        {
            throw ApiProblemException.NotFound("There is no such client", e.Message);
        }
        catch (ArgumentException e) when (e.ParamName is "tenant" or "note" or "authority")
        {
            throw ApiProblemException.NotValid(e.ParamName, e.Message.Split(" (Parameter ")[0]);
        }

        return new PageAnswer.SeeOther($"clients/{Uri.EscapeDataString(name)}?did={did}");
    }

    // Clients and circuits are seen also when the store does not answer.
    private static async Task<IReadOnlyList<DeadLetterGroup>> GroupsAsync(PageCall call, DeadLetterQuery query) =>
        call.Context.RequestServices.GetService<IDeadLetterReview>() is { } review
            ? await call.TryReadAsync(token => review.GroupsAsync(query, MaxGroups, token)).ConfigureAwait(false) ?? [] : [];

    private static async Task<ClientPauseReach> KnownAsync(PageCall call, string name)
    {
        var reach = await Pauses(call).FindAsync(name, call.Reading).ConfigureAwait(false);
        return reach.IsKnown ? reach : throw NoClient(name);
    }

    private static ClientPauses Pauses(PageCall call)
    {
        // Says how to turn it on when the application has no store.
        _ = call.Api.Review;
        return call.Context.RequestServices.GetRequiredService<ClientPauses>();
    }

    private static CircuitHolds Holds(PageCall call)
    {
        _ = call.Api.Review;
        return call.Context.RequestServices.GetRequiredService<CircuitHolds>();
    }

    private static (string Name, Uri Uri) AuthorityOf(string host) =>
        LetterFilter.AuthorityOf(host) is { } name && Uri.TryCreate(name, UriKind.Absolute, out var uri) ? (name, uri)
            : throw ApiProblemException.NotValid("host", "It is a host, such as api.example.com (https) or http://api.example.com:8080.");

    private static string? NoteOf(PageCall call) =>
        call.Field("notes").Trim() is { Length: > 0 } note ? note[..Math.Min(note.Length, MaxNote)] : null;

    private static void ThrowIfViewer(PageCall call)
    {
        if (!call.MayOperate)
            throw ApiProblemException.Of(StatusCodes.Status403Forbidden, "You may not change anything.");
    }

    private static ApiProblemException NoClient(string name) =>
        ApiProblemException.NotFound($"There is no client “{ForeignText.Visible(name, 80)}”");
}
