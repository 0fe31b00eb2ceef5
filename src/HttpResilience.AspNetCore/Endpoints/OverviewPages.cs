using HttpResilience.Operations;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>The first page, the activity, and the words.</summary>
internal static class OverviewPages
{
    private const int MaxNamed = 3, MaxIncidents = 10, PageSize = 50, MaxGroups = 1000;

    /// <summary>An instance writes its row every ten seconds.</summary>
    internal static readonly TimeSpan SeenLately = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan SeenWithin = TimeSpan.FromHours(1);

    internal static async Task<PageAnswer> OverviewAsync(PageCall call)
    {
        var services = call.Context.RequestServices;
        IReadOnlyList<DeadLetterGroup>? groups = [];
        IReadOnlyList<StorageInstance>? instances = [];
        DeadLetterCounts? counts = null;
        if (services.GetService<IDeadLetterReview>() is { } review)
        {
            groups = await call.TryReadAsync(token => review.GroupsAsync(new(), MaxGroups, token)).ConfigureAwait(false);
            counts = await call.TryReadAsync(review.CountAsync).ConfigureAwait(false);
            var store = services.GetRequiredService<IInstanceStore>();
            instances = await call.TryReadAsync(token => store.ListAsync(call.Now - SeenWithin, token)).ConfigureAwait(false);
        }

        // Without a store they are those of this instance.
        var incidents = services.GetService<IIncidents>() is { } alerts
            ? await call.TryReadAsync(alerts.ListAsync).ConfigureAwait(false) : null;
        bool isAway = groups is null || instances is null;
        (groups, instances) = (groups ?? [], instances ?? []);
        var clients = await ClientPages.RowsAsync(call, groups).ConfigureAwait(false);
        var model = new OverviewModel
        {
            Notices =
            [
                .. IncidentsOf(incidents), .. NoticesOf(groups, instances, clients, counts, isAway, call.Now),
            ],
            Counts = isAway ? null : counts,
            StoreIsAway = isAway,
            Clients = clients,
            Instances = [.. instances.OrderBy(i => i.Name, StringComparer.Ordinal)],
            This = ClientPages.ThisInstance,
        };
        return new PageAnswer.Page(typeof(Pages.OverviewPage), model, "Overview", "overview") { IsLive = true };
    }

    internal static async Task<PageAnswer> ActivityAsync(PageCall call)
    {
        _ = call.Api.Review;
        Guid? before = Guid.TryParseExact(call.Query("before"), "D", out var id) ? id : null;
        var found = await call.Context.RequestServices.GetRequiredService<IOperatorActivityStore>()
            .ListAsync(before, PageSize + 1, call.Reading).ConfigureAwait(false);
        var model = new ActivityPageModel(
            [.. found.Take(PageSize)], found.Count > PageSize ? $"activity?before={found[PageSize - 1].Id}" : null);
        return new PageAnswer.Page(typeof(Pages.ActivityPage), model, "Activity", "activity");
    }

    internal static Task<PageAnswer> HelpAsync(PageCall call) =>
        Task.FromResult<PageAnswer>(new PageAnswer.Page(typeof(Pages.HelpPage), "", "Words and keys", null));

    /// <summary>An instance that was seen lately sends letters again.</summary>
    internal static bool AnySends(IEnumerable<StorageInstance> instances, DateTimeOffset now) =>
        instances.Any(i => i.Replays && (now - i.SeenAt).Duration() < SeenLately);

    // Critical incidents come first.
    private static IEnumerable<Notice> IncidentsOf(IncidentList? incidents) => (incidents?.Incidents ?? [])
        .Where(i => i.IsOpen).Select(IncidentModel.Of).Take(MaxIncidents).Select(i => new Notice(
            OperationTexts.KindOf(i), ForeignText.Visible(i.Title), Sentences(i.Detail), $"alerts/{i.Id}", "Open the alert")
        {
            Since = i.BegunAt,
        });

    private static IEnumerable<Notice> NoticesOf(
        IReadOnlyList<DeadLetterGroup> groups, IReadOnlyList<StorageInstance> instances, IReadOnlyList<ClientRow> clients,
        DeadLetterCounts? counts, bool storeIsAway, DateTimeOffset now)
    {
        if (storeIsAway)
            yield return new(
                "bad", "The store does not answer",
                "Letters cannot be seen or changed. Clients and circuits of this instance still can.", "clients", "Open clients");
        foreach (var row in clients)
        {
            string path = $"clients/{Uri.EscapeDataString(row.Client.Name)}", open = $"Open {row.Client.Name}";
            if (row.Pause is { } pause)
            {
                yield return new(
                    "held", $"{row.Client.Name} is paused by {ForeignText.Visible(pause.ByText, 60)}",
                    Sentences(pause.Note, pause.By is null ? "It is tried by itself" : "It goes on only when someone resumes it"),
                    path, open)
                {
                    Since = pause.Since,
                };
            }

            foreach (var host in row.Hosts.Where(h => h.CircuitState is not CircuitState.Closed))
            {
                yield return host.CircuitState is CircuitState.Isolated
                    ? new(
                        "held", $"{NameOf(host)} is held back",
                        $"Calls of {row.Client.Name} to it fail at once, until someone lets them through.", path, open)
                    : new(
                        "bad", $"{NameOf(host)} does not answer",
                        $"Nothing is sent to it by {row.Client.Name} for the moment; it is tried again by itself. "
                        + "Look at the status page of the API.", path, open);
            }
        }

        var needing = groups.Where(g => g.RequiresReview > 0).OrderByDescending(g => g.RequiresReview).ToList();
        foreach (var group in needing.Take(MaxNamed))
        {
            yield return new(
                "person",
                $"{PageTimes.Count(group.RequiresReview, "letter")} of {group.Newest.ClientName} "
                + (group.RequiresReview == 1 ? "needs a person" : "need a person"),
                Sentences(LetterTexts.TitleOf(group), group.Newest.SuggestedAction), LetterTexts.PathOf(group), "Open the group")
            {
                Since = group.FirstFailedAt,
            };
        }

        if (needing.Count > MaxNamed)
        {
            yield return new(
                "person", $"and {PageTimes.Count(needing.Count - MaxNamed, "more group needs", "more groups need")} a person", "",
                "letters?status=needs-person", "Open letters");
        }

        if (!storeIsAway && !AnySends(instances, now) && counts is { } c && c[DeadLetterStatus.Pending] > 0)
        {
            yield return new(
                "bad", "No instance sends letters again",
                $"None runs AddDeadLetterReplay. {PageTimes.Count(c[DeadLetterStatus.Pending], "letter waits", "letters wait")}.",
                "letters?status=waiting", "Open letters");
        }
    }

    private static string Sentences(params ReadOnlySpan<string?> texts)
    {
        string all = "";
        foreach (string? text in texts)
        {
            if (ForeignText.Visible(text).Trim().TrimEnd('.') is { Length: > 0 } sentence)
                all += $"{(all.Length == 0 ? "" : " ")}{sentence}.";
        }

        return all;
    }

    private static string NameOf(ObservedHost host) =>
        host.Tenant is { } tenant ? $"{host.Authority} for {ForeignText.Visible(tenant, 60)}" : host.Authority;
}
