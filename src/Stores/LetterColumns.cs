using System.Data.Common;
using Column = HttpResilience.StoredColumn<HttpResilience.DeadLetter>;

namespace HttpResilience;

/// <summary>
/// The columns of a dead letter, each stated once; <see cref="StoredColumn{T}"/> of each store writes and reads their types.
/// </summary>
internal static class LetterColumns
{
    private const int MaxCount = 1_000_000_000;

    private static readonly DeadLetter Empty = new()
    {
        Id = default,
        ClientName = "",
        Method = "",
        Uri = new("about:blank"),
        FailureClass = default,
        StopReason = default,
        FirstFailedAt = default,
        LastFailedAt = default,
        Status = default,
        DueAt = default,
    };

    /// <summary>The columns that change during the life of a letter. The id and the version come first.</summary>
    internal static readonly IReadOnlyList<Column> State =
    [
        Column.Uuid("id", l => l.Id, (l, v) => l with { Id = v }),
        Column.Long("version", l => l.Version, (l, v) => l with { Version = Natural(v) }),
        Column.Named("status", l => l.Status, (l, v) => l with { Status = v }),
        Column.Time("due_at", l => l.DueAt, (l, v) => l with { DueAt = v }),
        Column.Named("failure_class", l => l.FailureClass, (l, v) => l with { FailureClass = v }),
        Column.Named("stop_reason", l => l.StopReason, (l, v) => l with { StopReason = v }),
        Column.Flag("may_have_been_processed", l => l.MayHaveBeenProcessed, (l, v) => l with { MayHaveBeenProcessed = v }),
        Column.OptionalInt("status_code", l => l.StatusCode, (l, v) => l with { StatusCode = v }),
        Column.OptionalText("error_type", l => l.ErrorType, (l, v) => l with { ErrorType = v }),
        Column.OptionalText("error_title", l => l.ErrorTitle, (l, v) => l with { ErrorTitle = v }),
        Column.OptionalText("error_detail", l => l.ErrorDetail, (l, v) => l with { ErrorDetail = v }),
        Column.Int("attempts", l => l.Attempts, (l, v) => l with { Attempts = Counted(v, "attempts") }),
        Column.Int("replays", l => l.Replays, (l, v) => l with { Replays = Counted(v, "replays") }),
        Column.Int("takeovers", l => l.Takeovers, (l, v) => l with { Takeovers = Counted(v, "takeovers") }),
        Column.Time("last_failed_at", l => l.LastFailedAt, (l, v) => l with { LastFailedAt = v }),
        Column.OptionalText("suggested_action", l => l.SuggestedAction, (l, v) => l with { SuggestedAction = v }),
        // The letter is resolved where the action is not null; the columns after it belong to the action.
        Column.OptionalText(
            "resolution_action", l => l.Resolution?.Action, (l, v) => l with { Resolution = v is null ? null : new(v, null, "", default) }),
        Column.OptionalText("resolution_notes", l => l.Resolution?.Notes, (l, v) => Resolved(l, r => r with { Notes = v })),
        Column.OptionalText(
            "resolution_by", l => l.Resolution?.By, (l, v) => Resolved(l, r => r with { By = v ?? throw Missing("resolution_by") })),
        Column.OptionalTime(
            "resolution_at", l => l.Resolution?.At, (l, v) => Resolved(l, r => r with { At = v ?? throw Missing("resolution_at") })),
        Column.OptionalUuid("replaced_by", l => l.ReplacedBy, (l, v) => l with { ReplacedBy = v }),
    ];

    /// <summary><see cref="State"/>, and the columns of the request, which never change.</summary>
    internal static readonly IReadOnlyList<Column> All =
    [
        .. State,
        Column.Text("application", l => l.Application, (l, v) => l with { Application = v }),
        Column.Text("client_name", l => l.ClientName, (l, v) => l with { ClientName = v }),
        Column.Text("method", l => l.Method, (l, v) => l with { Method = v }),
        Column.Text("uri", TextOfUri, (l, v) => l with { Uri = new(v, UriKind.Absolute) }),
        // For queries; a letter derives it from its URI.
        Column.Text(
            "authority", l => l.Authority,
            (l, v) => v == l.Authority ? l : throw new FormatException($"The authority is '{v}', but that of the URI is '{l.Authority}'.")),
        Column.OptionalText("original_uri", l => l.OriginalUri, (l, v) => l with { OriginalUri = v }),
        Column.OptionalText("http_version", l => l.HttpVersion?.ToString(), (l, v) => l with { HttpVersion = v is null ? null : new(v) }),
        Column.OptionalText(
            "http_version_policy", l => l.HttpVersionPolicy?.ToString(),
            (l, v) => l with { HttpVersionPolicy = v is null ? null : StoredText.Named<HttpVersionPolicy>(v) }),
        Column.Time("first_failed_at", l => l.FirstFailedAt, (l, v) => l with { FirstFailedAt = v }),
        Column.OptionalText("idempotency_key", l => l.IdempotencyKey, (l, v) => l with { IdempotencyKey = v }),
        Column.OptionalText(
            "idempotency_header_name", l => l.IdempotencyHeaderName, (l, v) => l with { IdempotencyHeaderName = v }),
        Column.OptionalText("tenant", l => l.Tenant, (l, v) => l with { Tenant = v }),
        Column.Text("tags", l => StoredJson.Map(l.Tags), (l, v) => l with { Tags = StoredJson.Map(v) }),
        Column.OptionalUuid("replaces", l => l.Replaces, (l, v) => l with { Replaces = v }),
        Column.OptionalText(
            "left_out", l => l.LeftOut.Count == 0 ? null : StoredJson.List(l.LeftOut),
            (l, v) => v is null ? l : l with { LeftOut = StoredJson.List(v) }),
        Column.OptionalText("protected_with", l => StoredJson.KeyOf(l), (l, v) => l with { ProtectedWith = v }),
        Column.Text("headers", l => StoredJson.HeadersOf(l), (l, v) => l with { Headers = StoredJson.Headers(v) }),
        Column.Flag("body_is_missing", l => l.BodyIsMissing, (l, v) => l with { BodyIsMissing = v }),
        Column.OptionalBytes("body", l => l.Body, (l, v) => l with { Body = v }),
    ];

    /// <summary>The names of <see cref="All"/>, as a query lists them.</summary>
    internal static readonly string Names = Column.Names(All);

    /// <summary>The columns of <see cref="Names"/> with a null in the place of the body, the last one.</summary>
    internal static string NamesWithoutBody(string none) => $"{Column.Names(All.SkipLast(1))}, {none}";

    /// <summary>Reads a row whose columns are those of <see cref="Names"/>.</summary>
    internal static DeadLetter Read(DbDataReader row) => Column.ReadAll(All, row, Empty);

    // AbsoluteUri leaves out the zone of a link-local IPv6 address (RFC 6874), without which the address leads nowhere.
    private static string TextOfUri(DeadLetter letter) => letter.Uri is { HostNameType: UriHostNameType.IPv6 } uri
        ? $"{letter.Authority}{uri.PathAndQuery}{uri.Fragment}" : letter.Uri.AbsoluteUri;

    private static DeadLetter Resolved(DeadLetter letter, Func<DeadLetterResolution, DeadLetterResolution> change) =>
        letter.Resolution is { } resolution ? letter with { Resolution = change(resolution) } : letter;

    // The next change of the letter increments it.
    private static long Natural(long version) => version is >= 0 and < long.MaxValue ? version
        : throw new OverflowException($"The version {version} is out of range.");

    // Later attempts and replays are added.
    private static int Counted(int value, string column) => value is >= 0 and <= MaxCount ? value
        : throw new OverflowException($"The {column} {value} are out of range.");

    private static HttpResilienceStorageException Missing(string column) => new($"The resolution has no {column}.");
}
