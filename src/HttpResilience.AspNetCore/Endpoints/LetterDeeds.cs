using Microsoft.AspNetCore.Http;

namespace HttpResilience.AspNetCore;

/// <summary>What a person does to one letter, by a form that was made for one version of it.</summary>
internal static class LetterDeeds
{
    // So long a click can be taken back.
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan DoubleClick = TimeSpan.FromMinutes(1);

    internal static async Task<PageAnswer> SendAsync(PageCall call)
    {
        var letter = await LetterPages.FindAsync(call).ConfigureAwait(false);
        if (LetterTexts.IsUncertain(letter) && call.Field("looked") != "yes")
            return await NotValidAsync(call, letter, null, Error("looked", "Look there first, then tick the box.")).ConfigureAwait(false);
        return await DoAsync(
            call, LetterEventKind.ReplayRequested, PageMessages.Sends,
            (review, id, version) => review.ReplayAsync(id, version, call.By, Delay, call.Aborted)).ConfigureAwait(false);
    }

    internal static Task<PageAnswer> ResolveAsync(PageCall call)
    {
        string action = call.Field("action").Trim(), notes = call.Field("notes").Trim();
        if (action.Length == 0)
            action = LetterWords.MarkAsDealtWith;
        return DoAsync(
            call, LetterEventKind.Resolved, PageMessages.DealtWith,
            (review, id, version) => review.ResolveAsync(
                id, version, Cut(action, 100), notes.Length == 0 ? null : Cut(notes, 10_000), call.By, call.Aborted));
    }

    internal static Task<PageAnswer> ReopenAsync(PageCall call) => DoAsync(
        call, LetterEventKind.Reopened, PageMessages.Reopened, (review, id, version) => LetterChanges.UndoneAsync(
            call.Api, (r, i, v) => r.ReopenAsync(i, v, call.By, call.Aborted), review, id, version));

    internal static Task<PageAnswer> CancelAsync(PageCall call) => DoAsync(
        call, LetterEventKind.Cancelled, PageMessages.Cancelled, (review, id, version) => LetterChanges.UndoneAsync(
            call.Api, (r, i, v) => r.CancelAsync(i, v, call.By, call.Aborted), review, id, version));

    internal static async Task<PageAnswer> CorrectAsync(PageCall call)
    {
        var letter = await LetterPages.FindAsync(call).ConfigureAwait(false);
        var body = await LetterPages.BodyOf(call, letter).ConfigureAwait(false);
        var draft = new LetterDraft(
            call.Form.ContainsKey("body") ? call.Field("body") : null, call.Field("method").Trim(), call.Field("address").Trim(),
            call.Field("headers"));
        if (letter.Version != call.Version)
            return WasDone(call, letter, LetterEventKind.Resubmitted) is { } done ? done
                : await MeanwhileAsync(call, letter, draft).ConfigureAwait(false);
        try
        {
            var request = CorrectionForm.Of(letter, body, draft, await FileOf(call).ConfigureAwait(false));
            if (request is null)
                return await LetterPages.LetterAsync(call, letter, m => m with { Draft = draft, IsUnchanged = true }).ConfigureAwait(false);
            if (call.Field("do") == "check")
                return await CheckedAsync(call, letter, body, draft, request).ConfigureAwait(false);
            var rules = new ClientRules(call.Context.RequestServices);
            var corrected = await LetterChanges.ChangeAsync(
                call.Api, call.Version, (review, id, version) => review.ResubmitAsync(
                    id, version, current => rules.Apply(current, request), call.By, Delay, call.Aborted))
                .ConfigureAwait(false);
            return new PageAnswer.SeeOther($"letters/{corrected.Id}?did={PageMessages.Corrected}");
        }
        catch (ApiProblemException e) when (e.Problem is { Status: StatusCodes.Status422UnprocessableEntity, Errors: { } errors })
        {
            return await NotValidAsync(call, letter, draft, ByField(errors)).ConfigureAwait(false);
        }
        catch (ApiProblemException e) when (e.Problem.Status == StatusCodes.Status409Conflict)
        {
            var now = await LetterPages.FindAsync(call).ConfigureAwait(false);
            return WasDone(call, now, LetterEventKind.Resubmitted) is { } done ? done
                : await MeanwhileAsync(call, now, draft).ConfigureAwait(false);
        }
    }

    private static async Task<PageAnswer> CheckedAsync(
        PageCall call, DeadLetter letter, LetterBodyText body, LetterDraft draft, ResubmitRequest request)
    {
        // Says what is wrong, too.
        new ClientRules(call.Context.RequestServices).Apply(letter, request);
        string before = CorrectionForm.TextOf(
            letter.Method, letter.OriginalUri ?? letter.Uri.AbsoluteUri, CorrectionForm.HeadersOf(letter), body.Text);
        string after = CorrectionForm.TextOf(draft.Method, draft.Address, draft.Headers.TrimEnd('\r', '\n'), draft.Text);
        return await LetterPages.LetterAsync(
            call, letter, m => m with { Draft = draft, Difference = LineDifference.Of(before, after) }).ConfigureAwait(false);
    }

    private static async Task<PageAnswer> DoAsync(
        PageCall call, LetterEventKind kind, string did, Func<IDeadLetterReview, Guid, long, Task<DeadLetter>> change)
    {
        try
        {
            var changed = await LetterChanges.ChangeAsync(call.Api, call.Version, change).ConfigureAwait(false);
            return new PageAnswer.SeeOther($"letters/{changed.Id}?did={did}");
        }
        catch (ApiProblemException e) when (e.Problem.Status == StatusCodes.Status409Conflict)
        {
            if (WasDone(call, await LetterPages.FindAsync(call).ConfigureAwait(false), kind) is { } done)
                return done;
            throw;
        }
    }

    // The second post of a double click shows the result of the first.
    private static PageAnswer.SeeOther? WasDone(PageCall call, DeadLetter letter, LetterEventKind kind) =>
        letter.Version == call.Version + 1 && letter.History is [.., var last] && last.Kind == kind && last.By == call.By
            && call.Now - last.At < DoubleClick
            ? new PageAnswer.SeeOther($"letters/{(kind is LetterEventKind.Resubmitted ? last.OtherId ?? letter.Id : letter.Id)}") : null;

    private static async Task<PageAnswer> MeanwhileAsync(PageCall call, DeadLetter letter, LetterDraft draft) =>
        await LetterPages.LetterAsync(call, letter, m => m with { Draft = draft, HasChangedMeanwhile = true }).ConfigureAwait(false)
            with
        { Status = StatusCodes.Status409Conflict, IsLive = false };

    private static async Task<PageAnswer> NotValidAsync(
        PageCall call, DeadLetter letter, LetterDraft? draft, IReadOnlyDictionary<string, string[]> errors) =>
        await LetterPages.LetterAsync(call, letter, m => m with { Draft = draft, Errors = errors }).ConfigureAwait(false)
            with
        { Status = StatusCodes.Status422UnprocessableEntity, IsLive = false };

    private static Dictionary<string, string[]> Error(string field, string text) => new() { [field] = [text] };

    // The names of the API, as the form has them.
    private static Dictionary<string, string[]> ByField(IReadOnlyDictionary<string, string[]> errors) => errors
        .GroupBy(e => e.Key switch { "text" or "body" or "letter" => "body", "uri" => "address", var same => same })
        .ToDictionary(g => g.Key, g => g.SelectMany(e => e.Value).ToArray());

    private static async Task<byte[]?> FileOf(PageCall call)
    {
        if (call.Form.Files["file"] is not { Length: > 0 } file)
            return null;
        using var bytes = new MemoryStream();
        await file.CopyToAsync(bytes, call.Aborted).ConfigureAwait(false);
        return bytes.ToArray();
    }

    private static string Cut(string text, int max) => text.Length <= max ? text : text[..max];
}
