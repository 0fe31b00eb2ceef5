using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>What people did, and the processes that use the store.</summary>
internal static class OperatorLists
{
    private const string Limit = "limit", Before = "before";
    private const int MaxEntries = 200, DefaultEntries = 50;

    // The store forgets a process after an hour.
    private static readonly TimeSpan SeenWithin = TimeSpan.FromHours(1);

    internal static async Task ActivityAsync(ApiCall call)
    {
        int limit = call.Number(Limit, 1, MaxEntries, DefaultEntries);
        if (call.QueryWords.FirstOrDefault(word => word.Key is not (Limit or Before)).Key is { } unknown)
            throw ApiProblemException.NotValid(unknown, "There is no such word. Known: before, limit.");
        string? word = call.Context.Request.Query[Before];
        Guid? before = string.IsNullOrEmpty(word) ? null : Guid.TryParseExact(word, "D", out var id) ? id
            : throw ApiProblemException.NotValid(Before, "It is the id of an entry, a UUID.");
        // One more than asked for says whether there is another page.
        var found = await StoreOf<IOperatorActivityStore>(call).ListAsync(before, limit + 1, call.Reading).ConfigureAwait(false);
        var request = call.Context.Request;
        string? next = found.Count <= limit ? null : string.Create(
            CultureInfo.InvariantCulture,
            $"{request.PathBase.ToUriComponent()}{request.Path.ToUriComponent()}?{Limit}={limit}&{Before}={found[limit - 1].Id}");
        await call.WriteAsync(new([.. found.Take(limit).Select(ActivityModel.Of)], next), OperatorJson.Default.ActivityPage)
            .ConfigureAwait(false);
    }

    internal static async Task InstancesAsync(ApiCall call)
    {
        var found = await StoreOf<IInstanceStore>(call).ListAsync(call.Now - SeenWithin, call.Reading).ConfigureAwait(false);
        await call.WriteAsync(
            new([.. found.OrderBy(i => i.Application, StringComparer.Ordinal).ThenBy(i => i.Name, StringComparer.Ordinal)
                .Select(i => InstanceModel.Of(i, call.Now))]), OperatorJson.Default.InstanceList).ConfigureAwait(false);
    }

    private static T StoreOf<T>(ApiCall call)
        where T : notnull
    {
        // Says how to turn it on when the application keeps no letters.
        _ = call.Review;
        return call.Context.RequestServices.GetRequiredService<T>();
    }
}
