using Microsoft.AspNetCore.Http;

namespace HttpResilience.AspNetCore;

/// <summary>Deletes letters that are settled, as many as were counted before.</summary>
internal static class LetterPurge
{
    private const string SettledBefore = "settledBefore";

    internal static async Task PreviewAsync(ApiCall call)
    {
        var filter = ValidFor(call.Filter(SettledBefore));
        var before = TimeOf(call, call.Context.Request.Query[SettledBefore]);
        var counted = await filter.CountSettledAsync(call.Review, before, call.Now, call.Reading).ConfigureAwait(false);
        await call.WriteAsync(counted, OperatorJson.Default.PurgePreview).ConfigureAwait(false);
    }

    internal static async Task PurgeAsync(ApiCall call)
    {
        var request = await call.ReadAsync(OperatorJson.Default.PurgeRequest).ConfigureAwait(false);
        var filter = ValidFor(LetterFilter.Parse(request.Filter ?? new Dictionary<string, string>(), call.Now));
        var before = TimeOf(call, request.SettledBefore);
        long expected = request.Count is >= 0 and { } count ? count
            : throw ApiProblemException.NotValid("count", "It is the number that GET letters/purge has counted.");
        long found = (await filter.CountSettledAsync(call.Review, before, call.Now, call.Reading).ConfigureAwait(false)).Count;
        // What was settled or deleted meanwhile may make a tenth of difference; more than that needs another look.
        if (Math.Abs(found - expected) > expected / 10)
            throw new ApiProblemException(new()
            {
                Status = StatusCodes.Status409Conflict,
                Title = $"{found} letters would be deleted, not {expected}. Nothing was done.",
                Count = found,
            });

        long deleted = await filter.PurgeAsync(call.Review, before, call.Now, call.By, call.Aborted).ConfigureAwait(false);
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
}
