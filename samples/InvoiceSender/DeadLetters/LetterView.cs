using System.Text;
using System.Text.Json.Nodes;
using HttpResilience;

namespace InvoiceSender;

/// <summary>A letter as printed by <c>--json</c>: a JSON body as JSON, any other as text. Lists omit headers and body.</summary>
internal sealed record LetterView
{
    public required Guid Id { get; init; }
    public required DeadLetterStatus Status { get; init; }
    public required string Method { get; init; }
    public required Uri Uri { get; init; }
    public required string Client { get; init; }
    public string? IdempotencyKey { get; init; }
    public string? Tenant { get; init; }
    public required IReadOnlyDictionary<string, string> Tags { get; init; }
    public required FailureClass FailureClass { get; init; }
    public required StopReason StopReason { get; init; }
    public int? StatusCode { get; init; }
    public string? ErrorType { get; init; }
    public string? Title { get; init; }
    public string? Detail { get; init; }
    public required bool MayHaveBeenProcessed { get; init; }
    public required int Attempts { get; init; }
    public required int Replays { get; init; }
    public required DateTimeOffset FirstFailedAt { get; init; }
    public required DateTimeOffset LastFailedAt { get; init; }
    public DateTimeOffset? DueAt { get; init; }
    public string? SuggestedAction { get; init; }
    public DeadLetterResolution? Resolution { get; init; }
    public Guid? Replaces { get; init; }
    public Guid? ReplacedBy { get; init; }
    public IReadOnlyList<KeyValuePair<string, string>>? Headers { get; init; }
    public JsonNode? Body { get; init; }

    public static LetterView Of(DeadLetter letter) => new()
    {
        Id = letter.Id,
        Status = letter.Status,
        Method = letter.Method,
        Uri = letter.Uri,
        Client = letter.ClientName,
        IdempotencyKey = letter.IdempotencyKey,
        Tenant = letter.Tenant,
        Tags = letter.Tags,
        FailureClass = letter.FailureClass,
        StopReason = letter.StopReason,
        StatusCode = letter.StatusCode,
        ErrorType = letter.ErrorType,
        Title = letter.ErrorTitle,
        Detail = letter.ErrorDetail,
        MayHaveBeenProcessed = letter.MayHaveBeenProcessed,
        Attempts = letter.Attempts,
        Replays = letter.Replays,
        FirstFailedAt = letter.FirstFailedAt,
        LastFailedAt = letter.LastFailedAt,
        DueAt = letter.Status is DeadLetterStatus.Pending ? letter.DueAt : null,
        SuggestedAction = letter.SuggestedAction,
        Resolution = letter.Resolution,
        Replaces = letter.Replaces,
        ReplacedBy = letter.ReplacedBy,
    };

    public static LetterView Whole(DeadLetter letter) => Of(letter) with
    {
        Headers = letter.Headers,
        Body = letter.Json() ?? (letter.Body is { } body ? JsonValue.Create(Encoding.UTF8.GetString(body.Span)) : null),
    };
}
