using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace HttpResilience.AspNetCore;

/// <summary>Letters to read: lists, one, groups, counts.</summary>
internal static class LetterLists
{
    private const string Limit = "limit";
    private const int MaxLetters = 200, MaxGroups = 1000, DefaultLetters = 50, DefaultGroups = 200;

    internal static async Task LettersAsync(ApiCall call)
    {
        var filter = Valid(call.Filter(Limit));
        int limit = call.Number(Limit, 1, MaxLetters, DefaultLetters);
        if (filter.Query.Text is not null)
        {
            var found = await filter.SearchAsync(
                call.Review, before: null, limit, call.Time, cancellationToken: call.Reading).ConfigureAwait(false);
            string? further = found.Before is { } last ? NextOf(call.Context.Request, filter, limit, last) : null;
            await call.WriteAsync(
                new LetterPage([.. found.Letters.Select(LetterSummary.Of)], further, found.Looked), OperatorJson.Default.LetterPage)
                .ConfigureAwait(false);
            return;
        }

        // One more than asked for says whether there is another page.
        var letters = await filter.ListAsync(call.Review, limit + 1, call.Reading).ConfigureAwait(false);
        string? next = letters.Count > limit ? NextOf(call.Context.Request, filter, limit, letters[limit - 1].Id) : null;
        await call.WriteAsync(
            new LetterPage([.. letters.Take(limit).Select(LetterSummary.Of)], next), OperatorJson.Default.LetterPage).ConfigureAwait(false);
    }

    internal static async Task LetterAsync(ApiCall call)
    {
        var letter = await StoredLetter.FindAsync(call, call.LetterId).ConfigureAwait(false);
        call.Context.Response.Headers.ETag = ApiCall.ETagOf(letter);
        var model = LetterModel.Of(letter);
        if (model.Body is not null)
            model = model with { Body = await LetterBodies.ShownAsync(call, letter, model.Body).ConfigureAwait(false) };
        await call.WriteAsync(model, OperatorJson.Default.LetterModel).ConfigureAwait(false);
    }

    internal static async Task GroupsAsync(ApiCall call)
    {
        var filter = Valid(call.Filter(Limit));
        int limit = call.Number(Limit, 1, MaxGroups, DefaultGroups);
        if (filter.Query.Before is not null)
            throw ApiProblemException.NotValid("before", "Groups have no pages.");
        if (filter.Statuses.Except(LetterWords.OpenStatuses).Any())
            throw ApiProblemException.NotValid("status", "Groups have open letters only: needs-person, waiting, being-sent, open.");
        var groups = await call.Review.GroupsAsync(filter.Query, limit, call.Reading).ConfigureAwait(false);
        var list = GroupList.Of(groups.Where(g => filter.Statuses.Count == 0 || filter.Statuses.Any(status => CountOf(g, status) > 0)));
        await call.WriteAsync(list, OperatorJson.Default.GroupList).ConfigureAwait(false);
    }

    internal static async Task CountsAsync(ApiCall call)
    {
        var counts = await call.Review.CountAsync(call.Reading).ConfigureAwait(false);
        await call.WriteAsync(CountsModel.Of(counts), OperatorJson.Default.CountsModel).ConfigureAwait(false);
    }

    internal static async Task UnreplayedAsync(ApiCall call)
    {
        var unreplayed = await call.Review.UnreplayedAsync(call.Reading).ConfigureAwait(false);
        await call.WriteAsync(new([.. unreplayed.Select(UnreplayedModel.Of)]), OperatorJson.Default.UnreplayedList).ConfigureAwait(false);
    }

    internal static LetterFilter Valid(LetterFilter filter) =>
        filter.Problems.Count == 0 ? filter : throw ApiProblemException.NotValid(filter.Problems);

    private static long CountOf(DeadLetterGroup group, DeadLetterStatus status) => status switch
    {
        DeadLetterStatus.RequiresReview => group.RequiresReview,
        DeadLetterStatus.Pending => group.Pending,
        _ => group.InProgress,
    };

    private static string NextOf(HttpRequest request, LetterFilter filter, int limit, Guid last)
    {
        var query = new QueryBuilder(filter.Words.Where(word => word.Key != "before"))
        {
            { Limit, FormattableString.Invariant($"{limit}") },
            { "before", $"{last}" },
        };
        return $"{request.PathBase.ToUriComponent()}{request.Path.ToUriComponent()}{query.ToQueryString()}";
    }
}
