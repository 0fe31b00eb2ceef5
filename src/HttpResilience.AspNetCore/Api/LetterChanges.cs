namespace HttpResilience.AspNetCore;

/// <summary>What operators do to one letter, each to the version that they have seen.</summary>
internal static class LetterChanges
{
    private const int MaxAction = 100, MaxNotes = 10_000, MaxDelay = 60;

    internal static async Task ReplayAsync(ApiCall call)
    {
        var request = await call.ReadAsync(OperatorJson.Default.ReplayRequest).ConfigureAwait(false);
        await ChangeAsync(
            call, request.ExpectedVersion,
            (review, id, version) => review.ReplayAsync(id, version, call.By, DelayOf(request.DelaySeconds), call.Aborted))
            .ConfigureAwait(false);
    }

    internal static async Task ResolveAsync(ApiCall call)
    {
        var request = await call.ReadAsync(OperatorJson.Default.ResolveRequest).ConfigureAwait(false);
        string action = string.IsNullOrWhiteSpace(request.Action) ? LetterWords.MarkAsDealtWith : request.Action.Trim();
        if (action.Length > MaxAction)
            throw ApiProblemException.NotValid("action", $"It has at most {MaxAction} characters.");
        if (request.Notes?.Length > MaxNotes)
            throw ApiProblemException.NotValid("notes", $"They have at most {MaxNotes} characters.");
        await ChangeAsync(
            call, request.ExpectedVersion,
            (review, id, version) => review.ResolveAsync(id, version, action, request.Notes, call.By, call.Aborted)).ConfigureAwait(false);
    }

    internal static async Task ResubmitAsync(ApiCall call)
    {
        var request = await call.ReadAsync(OperatorJson.Default.ResubmitRequest).ConfigureAwait(false);
        var rules = new ClientRules(call.Context.RequestServices);
        await ChangeAsync(
            call, request.ExpectedVersion,
            (review, id, version) => review.ResubmitAsync(
                id, version, letter => rules.Apply(letter, request), call.By, DelayOf(request.DelaySeconds), call.Aborted))
            .ConfigureAwait(false);
    }

    internal static async Task ReopenAsync(ApiCall call)
    {
        var request = await call.ReadAsync(OperatorJson.Default.UndoRequest).ConfigureAwait(false);
        await UndoAsync(call, request, (review, id, version) => review.ReopenAsync(id, version, call.By, call.Aborted))
            .ConfigureAwait(false);
    }

    internal static async Task CancelAsync(ApiCall call)
    {
        var request = await call.ReadAsync(OperatorJson.Default.UndoRequest).ConfigureAwait(false);
        await UndoAsync(call, request, (review, id, version) => review.CancelAsync(id, version, call.By, call.Aborted))
            .ConfigureAwait(false);
    }

    // The message of the rule is the answer, because the status of the letter alone does not say why.
    private static Task UndoAsync(ApiCall call, UndoRequest request, Func<IDeadLetterReview, Guid, long, Task<DeadLetter>> undo) =>
        ChangeAsync(call, request.ExpectedVersion, (review, id, version) => UndoneAsync(call, undo, review, id, version));

    /// <summary>Takes something back, or says why that cannot be done.</summary>
    internal static async Task<DeadLetter> UndoneAsync(
        ApiCall call, Func<IDeadLetterReview, Guid, long, Task<DeadLetter>> undo, IDeadLetterReview review, Guid id, long version)
    {
        try
        {
            return await undo(review, id, version).ConfigureAwait(false);
        }
        catch (InvalidOperationException e) when (e is not (DeadLetterChangedException or ObjectDisposedException))
        {
            var letter = await StoredLetter.FindAsync(call, id).ConfigureAwait(false);
            throw ApiProblemException.Changed(letter, $"{e.Message} Nothing was done.");
        }
    }

    private static TimeSpan DelayOf(int? seconds) => seconds is null or (>= 0 and <= MaxDelay)
        ? TimeSpan.FromSeconds(seconds ?? 0)
        : throw ApiProblemException.NotValid("delaySeconds", $"It is a number from 0 to {MaxDelay}.");

    private static async Task ChangeAsync(
        ApiCall call, long? versionOfBody, Func<IDeadLetterReview, Guid, long, Task<DeadLetter>> change) =>
        await call.WriteAsync(await ChangeAsync(call, call.ExpectedVersion(versionOfBody), change).ConfigureAwait(false))
            .ConfigureAwait(false);

    /// <summary>Changes the letter of the address.</summary>
    /// <exception cref="ApiProblemException">404, 409 or 422, with what stands in the way.</exception>
    internal static async Task<DeadLetter> ChangeAsync(
        ApiCall call, long version, Func<IDeadLetterReview, Guid, long, Task<DeadLetter>> change)
    {
        var id = call.LetterId;
        var review = call.Review;
        try
        {
            return await change(review, id, version).ConfigureAwait(false);
        }
        catch (KeyNotFoundException)
        {
            throw ApiProblemException.NoLetter(id);
        }
        catch (DeadLetterChangedException e)
        {
            throw ApiProblemException.Changed(e.Letter, "The letter has changed meanwhile. Nothing was done.");
        }
        catch (InvalidOperationException e) when (e is not ObjectDisposedException)
        {
            var letter = await StoredLetter.FindAsync(call, id).ConfigureAwait(false);
            if (ObstacleOf(letter) is { } obstacle)
                throw ApiProblemException.Changed(letter, obstacle);
            throw;
        }
        catch (ArgumentException e) when (e.ParamName == "corrected")
        {
            throw ApiProblemException.NotValid("letter", e.Message.Split(" (Parameter ")[0]);
        }
        catch (HttpResilienceStorageException e) when (!e.MayHaveBeenMade)
        {
            // Says whether it is the store that fails, or this letter that cannot be read.
            await StoredLetter.FindAsync(call, id).ConfigureAwait(false);
            throw;
        }
    }

    private static string? ObstacleOf(DeadLetter letter) => letter.Status switch
    {
        DeadLetterStatus.InProgress => "The letter is being sent at this moment. Nothing was done.",
        DeadLetterStatus.Replayed or DeadLetterStatus.Resolved or DeadLetterStatus.Resubmitted =>
            "The letter is already settled. Nothing was done.",
        _ when letter.KeyIsMissing => "The key that protects this letter is missing in this process. Nothing was done.",
        _ => null,
    };
}
