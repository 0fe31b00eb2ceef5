using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>The clients of this instance.</summary>
internal static class ClientPages
{
    private const int MaxGroups = 1000;

    internal static string ThisInstance { get; } = $"{Environment.MachineName}:{Environment.ProcessId}";

    internal static async Task<PageAnswer> ClientsAsync(PageCall call)
    {
        var groups = await GroupsAsync(call, new()).ConfigureAwait(false);
        return new PageAnswer.Page(typeof(Pages.ClientsPage), RowsOf(call, groups), "Clients", "clients") { IsLive = true };
    }

    internal static async Task<PageAnswer> ClientAsync(PageCall call)
    {
        string name = call.Route("name");
        var groups = await GroupsAsync(call, new() { ClientName = name }).ConfigureAwait(false);
        var row = RowsOf(call, groups).FirstOrDefault(r => r.Client.Name == name)
            ?? throw ApiProblemException.NotFound($"This instance has no client “{ForeignText.Visible(name, 80)}”");
        return new PageAnswer.Page(typeof(Pages.ClientPage), new ClientPageModel(row, ThisInstance), name, "clients") { IsLive = true };
    }

    // Clients and circuits are seen also when the store does not answer.
    private static async Task<IReadOnlyList<DeadLetterGroup>> GroupsAsync(PageCall call, DeadLetterQuery query)
    {
        return call.Context.RequestServices.GetService<IDeadLetterReview>() is { } review
            ? await call.TryReadAsync(token => review.GroupsAsync(query, MaxGroups, token)).ConfigureAwait(false) ?? [] : [];
    }

    /// <summary>Those with something wrong first, then by name.</summary>
    internal static IReadOnlyList<ClientRow> RowsOf(PageCall call, IReadOnlyList<DeadLetterGroup> groups)
    {
        var byClient = groups.ToLookup(g => g.Newest.ClientName);
        var clients = call.Context.RequestServices.GetService<IResilientClients>()?.List() ?? [];
        return [.. clients
            .Select(c => new ClientRow(c, byClient[c.Name].Sum(g => g.Count), byClient[c.Name].Sum(g => g.RequiresReview)))
            .OrderByDescending(r => r.State is not CircuitState.Closed).ThenBy(r => r.Client.Name, StringComparer.Ordinal)];
    }
}
