using Microsoft.AspNetCore.Http;

namespace HttpResilience.AspNetCore;

/// <summary>Deletes letters that are settled, as many as were counted before.</summary>
internal static class LetterPurge
{
    private const string SettledBefore = "settledBefore";
    private const int PageSize = 1000;

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

    private static IEnumerable<DeadLetterQuery> QueriesOf(LetterFilter filter) =>
        (filter.Statuses.Count == 0 ? LetterWords.SettledStatuses : filter.Statuses)
            .Select(status => filter.Query with { Status = status });

    private static async Task<PurgePreview> CountAsync(ApiCall call, LetterFilter filter, DateTimeOffset before)
    {
        long count = 0;
        DateTimeOffset? oldest = null;
        foreach (var query in QueriesOf(filter))
        {
            var page = query with { Limit = PageSize, OmitBodies = true };
            while (await call.Review.ListAsync(page, call.Aborted).ConfigureAwait(false) is { Count: > 0 } letters)
            {
                foreach (var letter in letters.Where(l => l.LastFailedAt < before && SettledAt(l) < before))
                {
                    count++;
                    oldest = oldest < letter.FirstFailedAt ? oldest : letter.FirstFailedAt;
                }

                page = page with { Before = letters[^1].Id };
            }
        }

        return new(count, oldest, before);
    }

    // As the stores have it: a letter that was accepted is due at that time.
    private static DateTimeOffset SettledAt(DeadLetter letter) =>
        letter.Status is DeadLetterStatus.Replayed ? letter.DueAt : letter.Resolution?.At ?? letter.LastFailedAt;
}
