using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Serialization;

namespace HttpResilience.Operators;

/// <summary>A letter as lists show it: without its header fields and body.</summary>
internal record LetterSummary
{
    public required Guid Id { get; init; }

    public required long Version { get; init; }

    /// <summary>A word of <see cref="LetterWords"/>.</summary>
    public required string Status { get; init; }

    public required string StatusText { get; init; }

    public required string Client { get; init; }

    public string? Application { get; init; }

    public string? Tenant { get; init; }

    public required string Method { get; init; }

    public required string Uri { get; init; }

    public required string Host { get; init; }

    public required string Route { get; init; }

    /// <summary>The fingerprint of its group.</summary>
    public required string Group { get; init; }

    /// <summary>The name of its group.</summary>
    public required string Title { get; init; }

    /// <summary>What the API or the exception said.</summary>
    public string? Reason { get; init; }

    public required string Class { get; init; }

    public required string ClassText { get; init; }

    public int? Code { get; init; }

    public string? ErrorType { get; init; }

    public required string StopReason { get; init; }

    public required string StopReasonText { get; init; }

    public required bool MayHaveBeenProcessed { get; init; }

    public required bool HasKey { get; init; }

    public required bool BodyIsMissing { get; init; }

    public required int Attempts { get; init; }

    public required int Replays { get; init; }

    public required DateTimeOffset FirstFailedAt { get; init; }

    public required DateTimeOffset LastFailedAt { get; init; }

    /// <summary>When it is sent again by itself; null unless it waits.</summary>
    public DateTimeOffset? NextAt { get; init; }

    public string? SuggestedAction { get; init; }

    /// <summary>What a person did last.</summary>
    public ResolutionModel? Resolution { get; init; }

    public Guid? Replaces { get; init; }

    public Guid? ReplacedBy { get; init; }

    public required IReadOnlyDictionary<string, string> Tags { get; init; }

    internal static LetterSummary Of(DeadLetter letter) => new(letter);

    public LetterSummary()
    {
    }

    [SetsRequiredMembers]
    private protected LetterSummary(DeadLetter letter)
    {
        ArgumentNullException.ThrowIfNull(letter);
        (Id, Version, Client, Tenant) = (letter.Id, letter.Version, letter.ClientName, letter.Tenant);
        Application = letter.Application.Length == 0 ? null : letter.Application;
        (Status, StatusText) = (LetterWords.Of(letter.Status), LetterWords.Text(letter.Status));
        (Method, Uri, Host) = (letter.Method, letter.OriginalUri ?? letter.Uri.AbsoluteUri, letter.Authority);
        (Route, Group, Title, Reason) = (letter.Route, letter.Fingerprint, letter.Title, letter.ErrorTitle);
        (Class, ClassText) = (LetterWords.Of(letter.FailureClass), LetterWords.Text(letter.FailureClass));
        (StopReason, StopReasonText) = (LetterWords.Of(letter.StopReason), LetterWords.Text(letter.StopReason));
        (Code, ErrorType) = (letter.StatusCode, letter.ErrorType);
        (MayHaveBeenProcessed, HasKey, BodyIsMissing) =
            (letter.MayHaveBeenProcessed, letter.IdempotencyKey is not null, letter.BodyIsMissing);
        (Attempts, Replays) = (letter.Attempts, letter.Replays);
        (FirstFailedAt, LastFailedAt) = (letter.FirstFailedAt, letter.LastFailedAt);
        NextAt = letter.Status is DeadLetterStatus.Pending ? letter.DueAt : null;
        (SuggestedAction, Replaces, ReplacedBy, Tags) = (letter.SuggestedAction, letter.Replaces, letter.ReplacedBy, letter.Tags);
        Resolution = letter.Resolution is { } r ? new(r.Action, r.Notes, r.By, r.At) : null;
    }
}

/// <summary>What a person did about a letter.</summary>
internal sealed record ResolutionModel(string Action, string? Notes, string By, DateTimeOffset At);

/// <summary>A header field.</summary>
internal sealed record HeaderModel
{
    public required string Name { get; init; }

    public required string Value { get; init; }
}

/// <summary>What is known of a body; the bytes have an address of their own.</summary>
/// <param name="Bytes">How many.</param>
/// <param name="ContentType">Its content type; null when it has none.</param>
/// <param name="Download">Whether the person gets the bytes; null where nobody was asked.</param>
/// <param name="Text">
/// For a person who does not: the JSON with the fields on the redaction list struck out; null when it is none, or there is nothing to see.
/// </param>
internal sealed record BodyModel(long Bytes, string? ContentType, bool? Download = null, string? Text = null);

/// <summary>All of a letter but the bytes of its body.</summary>
internal sealed record LetterModel : LetterSummary
{
    [JsonPropertyOrder(1)]
    public string? Detail { get; init; }

    [JsonPropertyOrder(1)]
    public required IReadOnlyList<HeaderModel> Headers { get; init; }

    /// <summary>The names of header fields, and with a leading <c>?</c> of query parameters, that were left out.</summary>
    [JsonPropertyOrder(1)]
    public required IReadOnlyList<string> LeftOut { get; init; }

    [JsonPropertyOrder(1)]
    public string? IdempotencyKey { get; init; }

    [JsonPropertyOrder(1)]
    public string? IdempotencyHeader { get; init; }

    /// <summary>The key that protects it is missing in this process: header fields, query and body are not here.</summary>
    [JsonPropertyOrder(1)]
    public required bool KeyIsMissing { get; init; }

    /// <summary>Null when there is none.</summary>
    [JsonPropertyOrder(1)]
    public BodyModel? Body { get; init; }

    /// <summary>What happened to it, the oldest first.</summary>
    public required IReadOnlyList<EventModel> History { get; init; }

    /// <summary>The last job that took it.</summary>
    public Guid? Job { get; init; }

    public LetterModel()
    {
    }

    [SetsRequiredMembers]
    private LetterModel(DeadLetter letter)
        : base(letter)
    {
        Detail = letter.ErrorDetail;
        Headers = [.. letter.Headers.Select(h => new HeaderModel { Name = h.Key, Value = h.Value })];
        (LeftOut, KeyIsMissing) = (letter.LeftOut, letter.KeyIsMissing);
        (IdempotencyKey, IdempotencyHeader) = (letter.IdempotencyKey, letter.IdempotencyHeaderName);
        (History, Job) = ([.. letter.History.Select(EventModel.Of)], letter.Job?.Id);
        Body = letter.Body is { } body ? new(body.Length, ContentTypeOf(letter)) : null;
    }

    internal static new LetterModel Of(DeadLetter letter) => new(letter);

    internal static string? ContentTypeOf(DeadLetter letter) => letter.Headers
        .Where(h => h.Key.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)).Select(h => h.Value).FirstOrDefault();
}

/// <summary>A page of letters.</summary>
/// <param name="Letters">Newest first.</param>
/// <param name="Next">The address of the page after it; null for the last one.</param>
/// <param name="Looked">
/// With <c>text</c>, how many letters were looked through: a page may be short, or empty, though there is another. Else null.
/// </param>
internal sealed record LetterPage(IReadOnlyList<LetterSummary> Letters, string? Next, long? Looked = null);

/// <summary>Open letters of one cause.</summary>
internal sealed record GroupModel
{
    /// <summary>Null for other reasons.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>How many titles it stands for; null for a group of one title.</summary>
    public int? OtherReasons { get; init; }

    /// <summary>
    /// The words of <see cref="LetterFilter"/> that list its letters; for other reasons, also those of the groups beside it.
    /// </summary>
    public required IReadOnlyDictionary<string, string> Filter { get; init; }

    public required string Title { get; init; }

    public required string Client { get; init; }

    public required string Method { get; init; }

    public required string Route { get; init; }

    public required string Class { get; init; }

    public required string ClassText { get; init; }

    public int? Code { get; init; }

    public string? ErrorType { get; init; }

    public required long Count { get; init; }

    public required long NeedsPerson { get; init; }

    public required long Waiting { get; init; }

    public required long BeingSent { get; init; }

    public required DateTimeOffset FirstFailedAt { get; init; }

    public required DateTimeOffset LastFailedAt { get; init; }

    public string? SuggestedAction { get; init; }

    /// <summary>The id of its newest letter.</summary>
    public required Guid Newest { get; init; }

    internal static GroupModel Of(DeadLetterGroup group)
    {
        ArgumentNullException.ThrowIfNull(group);
        var newest = group.Newest;
        return new()
        {
            Fingerprint = group.OtherReasons > 0 ? null : group.Fingerprint,
            OtherReasons = group.OtherReasons > 0 ? group.OtherReasons : null,
            Filter = FilterOf(group),
            Title = group.OtherReasons > 0 ? LetterWords.OtherReasons : newest.Title,
            Client = newest.ClientName,
            Method = newest.Method,
            Route = newest.Route,
            Class = LetterWords.Of(newest.FailureClass),
            ClassText = LetterWords.Text(newest.FailureClass),
            Code = newest.StatusCode,
            ErrorType = newest.ErrorType,
            Count = group.Count,
            NeedsPerson = group.RequiresReview,
            Waiting = group.Pending,
            BeingSent = group.InProgress,
            FirstFailedAt = group.FirstFailedAt,
            LastFailedAt = group.LastFailedAt,
            SuggestedAction = newest.SuggestedAction,
            Newest = newest.Id,
        };
    }

    /// <summary>How many of its letters a job with this status takes; null for all that are open.</summary>
    internal long CountOf(DeadLetterStatus? status) => status switch
    {
        DeadLetterStatus.RequiresReview => NeedsPerson,
        DeadLetterStatus.Pending => Waiting,
        DeadLetterStatus.InProgress => BeingSent,
        null => Count,
        _ => 0,
    };

    // No word of the filter has the route, or the type of an exception.
    private static Dictionary<string, string> FilterOf(DeadLetterGroup group)
    {
        if (group.OtherReasons == 0)
            return new() { ["group"] = group.Fingerprint };
        Dictionary<string, string> words = new()
        {
            ["status"] = LetterWords.Open,
            ["client"] = group.Newest.ClientName,
            ["method"] = group.Newest.Method,
            ["class"] = LetterWords.Of(group.Newest.FailureClass),
        };
        if (group.Newest.StatusCode is { } code)
            words["code"] = code.ToString(CultureInfo.InvariantCulture);
        return words;
    }
}

/// <summary>Groups, those that need a person first, then by their last failure.</summary>
internal sealed record GroupList(IReadOnlyList<GroupModel> Groups)
{
    internal static GroupList Of(IEnumerable<DeadLetterGroup> groups) => new(
        [.. groups.OrderByDescending(g => g.RequiresReview > 0).ThenByDescending(g => g.LastFailedAt).Select(GroupModel.Of)]);
}

/// <summary>The number of letters by status.</summary>
internal sealed record CountsModel(
    long NeedsPerson, long Waiting, long BeingSent, long Accepted, long DealtWith, long Replaced, DateTimeOffset? OldestDueAt)
{
    internal static CountsModel Of(DeadLetterCounts counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        return new(
            counts[DeadLetterStatus.RequiresReview], counts[DeadLetterStatus.Pending], counts[DeadLetterStatus.InProgress],
            counts[DeadLetterStatus.Replayed], counts[DeadLetterStatus.Resolved], counts[DeadLetterStatus.Resubmitted], counts.OldestDueAt);
    }
}
