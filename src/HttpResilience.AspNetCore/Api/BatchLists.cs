using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>Batches and their failures.</summary>
internal static class BatchLists
{
    private const string Limit = "limit", After = "after";
    private const int Most = 200, ByDefault = 50;

    internal static async Task BatchesAsync(ApiCall call)
    {
        int limit = call.Number(Limit, 1, Most, ByDefault);
        if (call.QueryWords.FirstOrDefault(word => word.Key is not Limit).Key is { } unknown)
            throw ApiProblemException.NotValid(unknown, "There is no such word. Known: limit.");
        var batches = await Of(call).ListAsync(limit, call.Aborted).ConfigureAwait(false);
        await call.WriteAsync(new([.. batches.Select(b => BatchModel.Of(b, call.Now))]), OperatorJson.Default.BatchPage)
            .ConfigureAwait(false);
    }

    internal static async Task BatchAsync(ApiCall call)
    {
        int limit = call.Number(Limit, 1, Most, ByDefault);
        if (call.QueryWords.FirstOrDefault(word => word.Key is not (Limit or After)).Key is { } unknown)
            throw ApiProblemException.NotValid(unknown, "There is no such word. Known: after, limit.");
        string name = ClientLists.NameOf(call);
        long? after = AfterOf(call);
        var batch = await Of(call).FindAsync(name, call.Aborted).ConfigureAwait(false) ?? throw ApiProblemException.NotFound(
            $"There is no batch '{(name.Length <= 100 ? name : name[..100])}'.", "A batch is there while its checkpoint is stored.");
        // One more than asked for says whether there is another page.
        var failures = await Of(call).FailuresAsync(name, after, limit + 1, call.Aborted).ConfigureAwait(false);
        var request = call.Context.Request;
        string? next = failures.Count <= limit ? null : string.Create(
            CultureInfo.InvariantCulture,
            $"{request.PathBase.ToUriComponent()}{request.Path.ToUriComponent()}?{Limit}={limit}&{After}={failures[limit - 1].Index}");
        await call.WriteAsync(
            new(BatchModel.Of(batch, call.Now), [.. failures.Take(limit).Select(BatchFailureModel.Of)], next),
            OperatorJson.Default.BatchDetail).ConfigureAwait(false);
    }

    private static long? AfterOf(ApiCall call)
    {
        string? word = call.Context.Request.Query[After];
        return string.IsNullOrEmpty(word) ? null
            : long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out long after) ? after
            : throw ApiProblemException.NotValid(After, "It is the index of a record, 0 or more.");
    }

    private static ICheckpointStore Of(ApiCall call)
    {
        // Says how to turn it on when the application keeps no letters.
        _ = call.Review;
        return call.Context.RequestServices.GetRequiredService<ICheckpointStore>();
    }
}
