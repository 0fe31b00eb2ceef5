using HttpResilience.Operations;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>Incidents in the JSON API.</summary>
internal static class IncidentLists
{
    internal static async Task IncidentsAsync(ApiCall call)
    {
        if (call.QueryWords.FirstOrDefault().Key is { } unknown)
            throw ApiProblemException.NotValid(unknown, "There is no such word: the list is whole.");
        var incidents = call.Context.RequestServices.GetService<IIncidents>();
        var list = incidents is null ? new([], 0) : await incidents.ListAsync(call.Aborted).ConfigureAwait(false);
        await call.WriteAsync(
            new(
                [.. list.Incidents.Select(IncidentModel.Of)], list.Unreadable, incidents is null ? ClientLists.NeedsOperations : null),
            OperatorJson.Default.IncidentPage).ConfigureAwait(false);
    }

    internal static async Task IncidentAsync(ApiCall call)
    {
        var list = call.Context.RequestServices.GetService<IIncidents>() is { } incidents
            && Guid.TryParseExact(call.Context.Request.RouteValues["id"] as string, "D", out var id)
            ? (await incidents.ListAsync(call.Aborted).ConfigureAwait(false)).Incidents.Where(i => i.Alert.Id == id) : [];
        var incident = list.FirstOrDefault() ?? throw ApiProblemException.NotFound(
            "There is no such incident.", "Ended ones are deleted a day after their last change.");
        await call.WriteAsync(IncidentModel.Of(incident), OperatorJson.Default.IncidentModel).ConfigureAwait(false);
    }
}
