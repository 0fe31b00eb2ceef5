using Microsoft.AspNetCore.Http;

namespace HttpResilience.AspNetCore;

/// <summary>Deletes letters that are settled, as many as were counted before.</summary>
internal static class LetterPurge
{
    private const string SettledBefore = "settledBefore";

    // As groups and lists: exact up to here.
    private const int MaxCount = 10_000;

    internal static async Task PreviewAsync(ApiCall call)
    {
        var filter = ValidFor(call.Filter(SettledBefore));
        var before = TimeOf(call, call.Context.Request.Query[SettledBefore]);
        await call.WriteAsync(await CountAsync(call, filter, before).ConfigureAwait(false), OperatorJson.Default.PurgePreview)
            .ConfigureAwait(false);
    }

    internal static async Task PurgeAsync(ApiCall call)
    {
        var request = await call.ReadAsync(OperatorJson.Default.PurgeRequest).ConfigureAwait(false);
        var filter = ValidFor(LetterFilter.Parse(request.Filter ?? new Dictionary<string, string>(), call.Now));
        var before = TimeOf(call, request.SettledBefore);
        long expected = request.Count is >= 0 and { } count ? count
            : throw ApiProblemException.NotValid("count", "It is the number that GET letters/purge has counted.");
        long found = (await CountAsync(call, filter, before).ConfigureAwait(false)).Count;
        // What was settled or deleted meanwhile may make a tenth of difference; more than that needs another look.
        if (Math.Abs(found - expected) > expected / 10)
            throw new ApiProblemException(new()
            {
                Status = StatusCodes.Status409Conflict,
                Title = $"{found} letters would be deleted, not {expected}. Nothing was done.",
                Count = found,
            });

        long deleted = 0;
        foreach (var query in QueriesOf(filter))
            deleted += await call.Review.PurgeAsync(query, call.Now - before, call.By, call.Aborted).ConfigureAwait(false);
        await call.WriteAsync(new(deleted), OperatorJson.Default.PurgeResult).ConfigureAwait(false);
    }

    private static LetterFilter ValidFor(LetterFilter filter)
    {
        if (LetterLists.Valid(filter).Query.Before is not null)
            throw ApiProblemException.NotValid("before", "A purge has no pages.");
        return filter.Statuses.Except(LetterWords.SettledStatuses).Any()
            ? throw ApiProblemException.NotValid("status", "Only accepted, dealt-with and replaced letters can be deleted.") : filter;
    }

    private static DateTimeOffset TimeOf(ApiCall call, string? value) =>
        LetterFilter.TimeOf(value ?? "", call.Now) is { } time && time <= call.Now ? time
            : throw ApiProblemException.NotValid(
                SettledBefore, "It is a time that has passed, such as 2026-11-28T03:10:00Z, or an age, such as 30d.");

    // The letters of all of them are counted and deleted at once.
    private static IEnumerable<DeadLetterQuery> QueriesOf(LetterFilter filter) =>
        filter.Statuses.Count == 0 || LetterWords.SettledStatuses.All(filter.Statuses.Contains) ? [filter.Query] : filter.Queries;

    private static async Task<PurgePreview> CountAsync(ApiCall call, LetterFilter filter, DateTimeOffset before)
    {
        long count = 0;
        DateTimeOffset? oldest = null;
        foreach (var query in QueriesOf(filter))
        {
            var settled = await call.Review.CountSettledAsync(query, call.Now - before, MaxCount + 1, call.Reading).ConfigureAwait(false);
            count += settled.Count;
            oldest = oldest < settled.Oldest ? oldest : settled.Oldest ?? oldest;
        }

        return new(Math.Min(count, MaxCount), count > MaxCount, oldest, before);
    }
}
