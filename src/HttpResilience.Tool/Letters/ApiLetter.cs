using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary>A letter as the API describes it.</summary>
internal static class ApiLetter
{
    // That there is a key is known from a summary, which does not have it.
    private const string SomeKey = "(has one)";

    private static readonly Dictionary<string, StopReason> StopReasons =
        Enum.GetValues<StopReason>().ToDictionary(LetterWords.Of, StringComparer.Ordinal);

    internal static DeadLetter Of(LetterSummary summary)
    {
        var full = summary as LetterModel;
        return new DeadLetter
        {
            Id = summary.Id,
            Version = summary.Version,
            Application = summary.Application ?? "",
            ClientName = summary.Client,
            Tenant = summary.Tenant,
            Method = summary.Method,
            Uri = new(summary.Uri),
            OriginalUri = summary.Uri,
            Status = LetterWords.TryStatus(summary.Status, out var status) ? status : throw Unknown(summary.Status),
            FailureClass = LetterWords.TryClass(summary.Class, out var failureClass) ? failureClass : throw Unknown(summary.Class),
            StopReason = StopReasons.TryGetValue(summary.StopReason, out var reason) ? reason : throw Unknown(summary.StopReason),
            StatusCode = summary.Code,
            ErrorType = summary.ErrorType,
            ErrorTitle = summary.Reason,
            ErrorDetail = full?.Detail,
            MayHaveBeenProcessed = summary.MayHaveBeenProcessed,
            IdempotencyKey = full?.IdempotencyKey ?? (summary.HasKey ? SomeKey : null),
            IdempotencyHeaderName = full?.IdempotencyHeader,
            BodyIsMissing = summary.BodyIsMissing,
            Attempts = summary.Attempts,
            Replays = summary.Replays,
            FirstFailedAt = summary.FirstFailedAt,
            LastFailedAt = summary.LastFailedAt,
            DueAt = summary.NextAt ?? summary.LastFailedAt,
            SuggestedAction = summary.SuggestedAction,
            Resolution = summary.Resolution is { } r ? new(r.Action, r.Notes, r.By, r.At) : null,
            Replaces = summary.Replaces,
            ReplacedBy = summary.ReplacedBy,
            Tags = summary.Tags,
            Headers = full is null ? [] : [.. full.Headers.Select(h => KeyValuePair.Create(h.Name, h.Value))],
            LeftOut = full?.LeftOut ?? [],
            KeyIsMissing = full?.KeyIsMissing ?? false,
            History = full is null ? null : [.. full.History.Select(Of)],
            Job = full?.Job is { } job ? new(job) : null,
            Fingerprint = summary.Group,
        };
    }

    private static LetterEvent Of(EventModel model) => new(
        LetterWords.TryEventKind(model.Kind, out var kind) ? kind : throw Unknown(model.Kind), model.At)
    {
        By = model.By,
        Instance = model.Instance,
        JobId = model.Job,
        StatusCode = model.Code,
        Title = model.Title,
        Attempts = model.Attempts ?? 0,
        OtherId = model.Other,
        Notes = model.Notes,
    };

    private static ToolException Unknown(string word) => new($"The application is newer than this tool, which does not know '{word}'.");
}
