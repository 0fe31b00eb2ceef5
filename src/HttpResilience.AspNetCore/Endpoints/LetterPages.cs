using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>Letters: by cause, one by one, one group, one letter.</summary>
internal static class LetterPages
{
    private const int PageSize = 50, MaxGroups = 200, MaxCounted = 1000;

    internal static async Task<PageAnswer> LettersAsync(PageCall call)
    {
        var filter = call.Api.Filter("view", "did");
        return call.Query("view") == "list"
            ? await ListAsync(call, filter).ConfigureAwait(false) : await GroupsAsync(call, filter).ConfigureAwait(false);
    }

    internal static async Task<PageAnswer> GroupAsync(PageCall call)
    {
        string fingerprint = call.Route("fingerprint");
        var query = new DeadLetterQuery { Fingerprint = fingerprint, OmitBodies = true, Limit = MaxCounted };
        var groups = await call.Api.Review.GroupsAsync(query, 1, call.Reading).ConfigureAwait(false);
        var counted = await call.Api.Review.ListAsync(query, call.Reading).ConfigureAwait(false);
        if (counted is not [var newest, ..])
            throw ApiProblemException.NotFound("There is no letter of this group", "Letters that are done with are deleted after a time.");
        IReadOnlyList<DeadLetter> letters = IsUuid(call.Query("before"), out var before)
            ? await call.Api.Review.ListAsync(query with { Before = before, Limit = PageSize + 1 }, call.Reading).ConfigureAwait(false)
            : counted;
        var jobs = await JobPages.RunningAsync(call, fingerprint, call.Reading).ConfigureAwait(false);
        var model = new GroupPageModel
        {
            Group = groups.SingleOrDefault(),
            Example = newest,
            Fingerprint = fingerprint,
            Letters = RowsOf(call, letters.Take(PageSize)),
            Older = letters.Count > PageSize ? $"groups/{fingerprint}?before={letters[PageSize - 1].Id}" : null,
            New = BarPlot.Of(counted.Select(l => l.FirstFailedAt), call.Now, TimeSpan.FromHours(4), 42),
            Tenants = Shares(counted, l => l.Tenant),
            Hosts = Shares(counted, l => l.Authority),
            Counted = counted.Count,
            Jobs = jobs,
        };
        return new PageAnswer.Page(typeof(Pages.GroupPage), model, newest.Title, "letters") { IsLive = true };
    }

    internal static async Task<PageAnswer> LetterAsync(PageCall call) =>
        await LetterAsync(call, await FindAsync(call).ConfigureAwait(false)).ConfigureAwait(false);

    /// <summary>The page of one letter, perhaps with what a person has typed.</summary>
    internal static async Task<PageAnswer.Page> LetterAsync(
        PageCall call, DeadLetter letter, Func<LetterPageModel, LetterPageModel>? with = null)
    {
        var group = new DeadLetterQuery { Fingerprint = letter.Fingerprint, OmitBodies = true, Limit = 1, Before = letter.Id };
        var older = await call.Api.Review.ListAsync(group, call.Reading).ConfigureAwait(false);
        string? hidden = await LetterBodies.WhyHiddenAsync(call.Api).ConfigureAwait(false);
        string name = LetterTexts.NameOf(letter, call.Options.LetterTitleTags);
        var model = new LetterPageModel
        {
            Letter = letter,
            Name = name,
            Body = await BodyOf(call, letter).ConfigureAwait(false),
            ShowsBody = hidden is null,
            Struck = hidden is null ? null : LetterBodies.ShownTextOf(call.Api, letter),
            WhyHidden = hidden,
            Older = older is [var next, ..] ? next.Id : null,
        };
        model = with?.Invoke(model) ?? model;
        return new(typeof(Pages.LetterPage), model, ForeignText.Visible(name, 80), "letters") { IsLive = true };
    }

    /// <summary>The body for the editor: none for who may not see it.</summary>
    internal static async Task<LetterBodyText> BodyOf(PageCall call, DeadLetter letter) =>
        await LetterBodies.WhyHiddenAsync(call.Api).ConfigureAwait(false) is { } why
            ? LetterBodyText.HiddenOf(letter, why) : LetterBodyText.Of(letter);

    internal static async Task<PageAnswer> BodyAsync(PageCall call)
    {
        await LetterBodies.BodyAsync(call.Api).ConfigureAwait(false);
        return new PageAnswer.Written();
    }

    internal static async Task<DeadLetter> FindAsync(PageCall call) =>
        await StoredLetter.FindAsync(call.Api, call.Api.LetterId).ConfigureAwait(false);

    internal static IReadOnlyList<LetterRow> RowsOf(PageCall call, IEnumerable<DeadLetter> letters) =>
        [.. letters.Select(l => new LetterRow(l, LetterTexts.NameOf(l, call.Options.LetterTitleTags)))];

    private static async Task<PageAnswer> GroupsAsync(PageCall call, LetterFilter filter)
    {
        if (call.Context.RequestServices.GetService<IDeadLetterReview>() is not { } review)
            return Page(new GroupsModel(FormOf(call, filter), [], false) { KeepsLetters = false });
        var query = filter.Query with { Before = null };
        var groups = await review.GroupsAsync(query, MaxGroups, call.Reading).ConfigureAwait(false);
        var shown = groups.Where(g => filter.Statuses.Count == 0 || filter.Statuses.Any(s => CountOf(g, s) > 0))
            .OrderByDescending(g => g.RequiresReview > 0).ThenByDescending(g => g.LastFailedAt).ToList();
        var day = query with { Since = Later(query.Since, call.Now.AddDays(-1)), OmitBodies = true, Limit = MaxCounted };
        var ofDay = (await review.ListAsync(day, call.Reading).ConfigureAwait(false)).ToLookup(l => l.Fingerprint, l => l.FirstFailedAt);
        long? without = shown.Count == 0 && !(filter.Words.Count == 0)
            ? (await review.GroupsAsync(new(), MaxGroups, call.Reading).ConfigureAwait(false)).Sum(g => g.Count) : null;
        return Page(new GroupsModel(
            FormOf(call, filter),
            [.. shown.Select(g => new GroupRow(g, BarPlot.Of(ofDay[g.Fingerprint], call.Now, TimeSpan.FromHours(1), 24)))],
            groups.Count >= MaxGroups)
        { WithoutFilter = without });

        static PageAnswer Page(GroupsModel model) =>
            new PageAnswer.Page(typeof(Pages.GroupsPage), model, "Letters", "letters") { IsLive = true };
    }

    private static async Task<PageAnswer> ListAsync(PageCall call, LetterFilter filter)
    {
        var letters = await filter.ListAsync(call.Api.Review, PageSize + 1, call.Reading).ConfigureAwait(false);
        long? without = letters.Count == 0 && filter.Words.Count > 0
            ? (await call.Api.Review.CountAsync(call.Reading).ConfigureAwait(false)).ByStatus.Sum(s => s.Value) : null;
        var model = new LetterListModel(
            FormOf(call, filter), RowsOf(call, letters.Take(PageSize)),
            letters.Count > PageSize ? OlderThan(filter, letters[PageSize - 1].Id) : null)
        { WithoutFilter = without };
        return new PageAnswer.Page(typeof(Pages.LettersPage), model, "Letters", "letters") { IsLive = true };
    }

    private static string OlderThan(LetterFilter filter, Guid last)
    {
        var query = new QueryBuilder(filter.Words.Where(word => word.Key != "before")) { { "view", "list" }, { "before", $"{last}" } };
        return $"letters{query.ToQueryString()}";
    }

    private static FilterForm FormOf(PageCall call, LetterFilter filter)
    {
        var known = call.Context.RequestServices.GetService<IResilientClients>()?.List().Select(c => c.Name) ?? [];
        return new(
            filter.Words, filter.Problems,
            [.. known.Append(filter.Query.ClientName).OfType<string>().Distinct().Order(StringComparer.Ordinal)]);
    }

    private static IReadOnlyList<(string Name, long Letters)> Shares(IEnumerable<DeadLetter> letters, Func<DeadLetter, string?> of) =>
        [.. letters.Select(of).OfType<string>().GroupBy(name => name).Select(g => (g.Key, g.LongCount())).OrderByDescending(g => g.Item2)];

    private static long CountOf(DeadLetterGroup group, DeadLetterStatus status) => status switch
    {
        DeadLetterStatus.RequiresReview => group.RequiresReview,
        DeadLetterStatus.Pending => group.Pending,
        DeadLetterStatus.InProgress => group.InProgress,
        _ => 0,
    };

    private static DateTimeOffset Later(DateTimeOffset? one, DateTimeOffset other) => one > other ? one.Value : other;

    private static bool IsUuid(string text, out Guid id) => Guid.TryParseExact(text, "D", out id);
}
