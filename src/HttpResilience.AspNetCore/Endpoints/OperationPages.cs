using System.Globalization;
using HttpResilience.Operations;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>Alerts and batches.</summary>
internal static class OperationPages
{
    private const int PageSize = 50;

    internal static async Task<PageAnswer> AlertsAsync(PageCall call)
    {
        var incidents = call.Context.RequestServices.GetService<IIncidents>();
        var list = incidents is null ? new([], 0) : await incidents.ListAsync(call.Reading).ConfigureAwait(false);
        return new PageAnswer.Page(
            typeof(Pages.AlertsPage), new AlertsModel([.. list.Incidents.Select(IncidentModel.Of)], list.Unreadable, incidents is not null),
            "Alerts", "alerts")
        { IsLive = true };
    }

    internal static async Task<PageAnswer> AlertAsync(PageCall call)
    {
        var list = call.Context.RequestServices.GetService<IIncidents>() is { } incidents
            && Guid.TryParseExact(call.Route("id"), "D", out var id)
            ? (await incidents.ListAsync(call.Reading).ConfigureAwait(false)).Incidents.Where(i => i.Alert.Id == id) : [];
        var incident = list.FirstOrDefault() ?? throw ApiProblemException.NotFound(
            "There is no such alert", "Those that have ended are deleted a day after their last change.");
        return new PageAnswer.Page(
            typeof(Pages.AlertPage), IncidentModel.Of(incident), ForeignText.Visible(incident.Alert.Title, 80), "alerts")
        { IsLive = true };
    }

    internal static async Task<PageAnswer> BatchesAsync(PageCall call)
    {
        var batches = await Checkpoints(call).ListAsync(PageSize * 4, call.Reading).ConfigureAwait(false);
        IReadOnlyList<BatchModel> model = [.. batches.Select(b => BatchModel.Of(b, call.Now))];
        return new PageAnswer.Page(typeof(Pages.BatchesPage), model, "Batches", "batches") { IsLive = true };
    }

    internal static async Task<PageAnswer> BatchAsync(PageCall call)
    {
        string name = ClientLists.NameOf(call.Api);
        long? after = long.TryParse(call.Query("after"), NumberStyles.None, CultureInfo.InvariantCulture, out long index) ? index : null;
        var batch = await Checkpoints(call).FindAsync(name, call.Reading).ConfigureAwait(false) ?? throw ApiProblemException.NotFound(
            $"There is no batch “{ForeignText.Visible(name, 80)}”", "A batch is there while its checkpoint is stored.");
        var failures = await Checkpoints(call).FailuresAsync(name, after, PageSize + 1, call.Reading).ConfigureAwait(false);
        string? next = failures.Count <= PageSize ? null
            : PageTimes.Invariant($"batches/{Uri.EscapeDataString(name)}?after={failures[PageSize - 1].Index}");
        return new PageAnswer.Page(
            typeof(Pages.BatchPage), new BatchPageModel(BatchModel.Of(batch, call.Now), [.. failures.Take(PageSize)], next),
            ForeignText.Visible(name, 80), "batches")
        { IsLive = true };
    }

    private static ICheckpointStore Checkpoints(PageCall call)
    {
        // Says how to turn it on when the application has no store.
        _ = call.Api.Review;
        return call.Context.RequestServices.GetRequiredService<ICheckpointStore>();
    }
}
