namespace HttpResilience;

/// <summary>The columns of a dead letter, each stated once, and how a letter is read from them.</summary>
internal static class LetterColumns
{
    private const int MaxCount = 1_000_000_000;

    private static readonly StoredTable<DeadLetter> Table = new();
    private static readonly StoredColumn<DeadLetter, Guid> Id = Table.Uuid("id", l => l.Id);
    private static readonly StoredColumn<DeadLetter, long> Version = Table.Long("version", l => l.Version);
    private static readonly StoredColumn<DeadLetter, string> Status = Table.Text("status", l => l.Status.ToString());
    private static readonly StoredColumn<DeadLetter, DateTimeOffset> DueAt = Table.Time("due_at", l => l.DueAt);
    private static readonly StoredColumn<DeadLetter, string> Class = Table.Text("failure_class", l => l.FailureClass.ToString());
    private static readonly StoredColumn<DeadLetter, string> Stop = Table.Text("stop_reason", l => l.StopReason.ToString());
    private static readonly StoredColumn<DeadLetter, bool> MayHaveBeenProcessed =
        Table.Flag("may_have_been_processed", l => l.MayHaveBeenProcessed);
    private static readonly StoredColumn<DeadLetter, int?> StatusCode = Table.OptionalInt("status_code", l => l.StatusCode);
    private static readonly StoredColumn<DeadLetter, string?> ErrorType = Table.OptionalText("error_type", l => l.ErrorType);
    private static readonly StoredColumn<DeadLetter, string?> ErrorTitle = Table.OptionalText("error_title", l => l.ErrorTitle);
    private static readonly StoredColumn<DeadLetter, string?> ErrorDetail = Table.OptionalText("error_detail", l => l.ErrorDetail);
    private static readonly StoredColumn<DeadLetter, int> Attempts = Table.Int("attempts", l => l.Attempts);
    private static readonly StoredColumn<DeadLetter, int> Replays = Table.Int("replays", l => l.Replays);
    private static readonly StoredColumn<DeadLetter, int> Takeovers = Table.Int("takeovers", l => l.Takeovers);
    private static readonly StoredColumn<DeadLetter, DateTimeOffset> LastFailedAt = Table.Time("last_failed_at", l => l.LastFailedAt);
    private static readonly StoredColumn<DeadLetter, string?> Suggested = Table.OptionalText("suggested_action", l => l.SuggestedAction);
    private static readonly StoredColumn<DeadLetter, string?> Action = Table.OptionalText("resolution_action", l => l.Resolution?.Action);
    private static readonly StoredColumn<DeadLetter, string?> Notes = Table.OptionalText("resolution_notes", l => l.Resolution?.Notes);
    private static readonly StoredColumn<DeadLetter, string?> By = Table.OptionalText("resolution_by", l => l.Resolution?.By);
    private static readonly StoredColumn<DeadLetter, DateTimeOffset?> At = Table.OptionalTime("resolution_at", l => l.Resolution?.At);
    private static readonly StoredColumn<DeadLetter, Guid?> ReplacedBy = Table.OptionalUuid("replaced_by", l => l.ReplacedBy);

    // Null in rows of older versions, until they are filled in.
    private static readonly StoredColumn<DeadLetter, string?> Fingerprint = Table.OptionalText("fingerprint", l => l.Fingerprint);

    // Null while the history is only the failure that the other columns state.
    private static readonly StoredColumn<DeadLetter, string?> History = Table.OptionalText(
        "history", l => l.History is [{ Kind: LetterEventKind.Failed }] ? null : StoredJson.History(l.History));
    private static readonly StoredColumn<DeadLetter, Guid?> JobId = Table.OptionalUuid("job_id", l => l.Job?.Id);
    private static readonly StoredColumn<DeadLetter, int?> JobAccepted = Table.OptionalInt(
        "job_accepted", l => l.Job?.Accepted is { } accepted ? accepted ? 1 : 0 : null);
    private static readonly StoredColumn<DeadLetter, DateTimeOffset?> JobEndedAt = Table.OptionalTime("job_ended_at", l => l.Job?.EndedAt);

    /// <summary>The columns up to here change during the life of a letter. The id and the version come first.</summary>
    internal static readonly IReadOnlyList<StoredColumn<DeadLetter>> State = [.. Table.Columns];

    private static readonly StoredColumn<DeadLetter, string> Application = Table.Text("application", l => l.Application);
    private static readonly StoredColumn<DeadLetter, string> ClientName = Table.Text("client_name", l => l.ClientName);
    private static readonly StoredColumn<DeadLetter, string> Method = Table.Text("method", l => l.Method);
    private static readonly StoredColumn<DeadLetter, string> Uri = Table.Text("uri", TextOfUri);

    // For queries; a letter derives it from its URI.
    private static readonly StoredColumn<DeadLetter, string> Authority = Table.Text("authority", l => l.Authority);
    private static readonly StoredColumn<DeadLetter, string?> OriginalUri = Table.OptionalText("original_uri", l => l.OriginalUri);
    private static readonly StoredColumn<DeadLetter, string?> HttpVersion =
        Table.OptionalText("http_version", l => l.HttpVersion?.ToString());
    private static readonly StoredColumn<DeadLetter, string?> VersionPolicy =
        Table.OptionalText("http_version_policy", l => l.HttpVersionPolicy?.ToString());
    private static readonly StoredColumn<DeadLetter, DateTimeOffset> FirstFailedAt = Table.Time("first_failed_at", l => l.FirstFailedAt);
    private static readonly StoredColumn<DeadLetter, string?> Key = Table.OptionalText("idempotency_key", l => l.IdempotencyKey);
    private static readonly StoredColumn<DeadLetter, string?> KeyHeader =
        Table.OptionalText("idempotency_header_name", l => l.IdempotencyHeaderName);
    private static readonly StoredColumn<DeadLetter, string?> Tenant = Table.OptionalText("tenant", l => l.Tenant);
    private static readonly StoredColumn<DeadLetter, string> Tags = Table.Text("tags", l => StoredJson.Map(l.Tags));
    private static readonly StoredColumn<DeadLetter, Guid?> Replaces = Table.OptionalUuid("replaces", l => l.Replaces);
    private static readonly StoredColumn<DeadLetter, string?> LeftOut =
        Table.OptionalText("left_out", l => l.LeftOut.Count == 0 ? null : StoredJson.List(l.LeftOut));
    private static readonly StoredColumn<DeadLetter, string?> ProtectedWith = Table.OptionalText("protected_with", StoredJson.KeyOf);
    private static readonly StoredColumn<DeadLetter, string> Headers = Table.Text("headers", StoredJson.HeadersOf);
    private static readonly StoredColumn<DeadLetter, bool> BodyIsMissing = Table.Flag("body_is_missing", l => l.BodyIsMissing);
    private static readonly StoredColumn<DeadLetter, ReadOnlyMemory<byte>?> Body = Table.OptionalBytes("body", l => l.Body);

    /// <summary><see cref="State"/>, and the columns of the request, which never change.</summary>
    internal static readonly IReadOnlyList<StoredColumn<DeadLetter>> All = Table.Columns;

    /// <summary>The names of <see cref="All"/>, as a query lists them.</summary>
    internal static readonly string Names = StoredTable<DeadLetter>.Names(All);

    /// <summary>The columns of <see cref="Names"/> with a null in the place of the body, the last one.</summary>
    internal static string NamesWithoutBody(string none) => $"{StoredTable<DeadLetter>.Names(All.SkipLast(1))}, {none}";

    /// <summary>Reads a row whose columns are those of <see cref="Names"/>.</summary>
    internal static DeadLetter Read(StoredRow row)
    {
        var letter = new DeadLetter
        {
            Id = Id.Of(row),
            Version = Natural(Version.Of(row)),
            Status = StoredText.Named<DeadLetterStatus>(Status.Of(row)),
            DueAt = DueAt.Of(row),
            FailureClass = StoredText.Named<FailureClass>(Class.Of(row)),
            StopReason = StoredText.Named<StopReason>(Stop.Of(row)),
            MayHaveBeenProcessed = MayHaveBeenProcessed.Of(row),
            StatusCode = StatusCode.Of(row),
            ErrorType = ErrorType.Of(row),
            ErrorTitle = ErrorTitle.Of(row),
            ErrorDetail = ErrorDetail.Of(row),
            Attempts = Counted(Attempts, row),
            Replays = Counted(Replays, row),
            Takeovers = Counted(Takeovers, row),
            LastFailedAt = LastFailedAt.Of(row),
            SuggestedAction = Suggested.Of(row),
            Resolution = Action.Of(row) is { } action ? ReadResolution(action, row) : null,
            ReplacedBy = ReplacedBy.Of(row),
            History = History.Of(row) is { } history ? StoredJson.History(history) : null,
            Job = JobId.Of(row) is { } job
                ? new(job, JobAccepted.Of(row) is { } accepted ? accepted != 0 : null, JobEndedAt.Of(row)) : null,
            Application = Application.Of(row),
            ClientName = ClientName.Of(row),
            Method = Method.Of(row),
            Uri = new(Uri.Of(row), UriKind.Absolute),
            OriginalUri = OriginalUri.Of(row),
            HttpVersion = HttpVersion.Of(row) is { } version ? new(version) : null,
            HttpVersionPolicy = VersionPolicy.Of(row) is { } policy ? StoredText.Named<HttpVersionPolicy>(policy) : null,
            FirstFailedAt = FirstFailedAt.Of(row),
            IdempotencyKey = Key.Of(row),
            IdempotencyHeaderName = KeyHeader.Of(row),
            Tenant = Tenant.Of(row),
            Tags = StoredJson.Map(Tags.Of(row)),
            Replaces = Replaces.Of(row),
            LeftOut = LeftOut.Of(row) is { } leftOut ? StoredJson.List(leftOut) : [],
            ProtectedWith = ProtectedWith.Of(row),
            Headers = StoredJson.Headers(Headers.Of(row)),
            BodyIsMissing = BodyIsMissing.Of(row),
            Body = Body.Of(row),
            // Last: it is kept for what the letter has by now.
            Fingerprint = Fingerprint.Of(row),
        };
        return Authority.Of(row) is var stored && letter.Authority is var own && stored == own ? letter
            : throw new FormatException($"The authority is '{stored}', but that of the URI is '{own}'.");
    }

    private static DeadLetterResolution ReadResolution(string action, StoredRow row) => new(
        action, Notes.Of(row), By.Of(row) ?? throw Missing("resolution_by"), At.Of(row) ?? throw Missing("resolution_at"));

    // AbsoluteUri leaves out the zone of a link-local IPv6 address (RFC 6874), without which the address leads nowhere.
    private static string TextOfUri(DeadLetter letter) => letter.Uri is { HostNameType: UriHostNameType.IPv6 } uri
        ? $"{letter.Authority}{uri.PathAndQuery}{uri.Fragment}" : letter.Uri.AbsoluteUri;

    // The next change of the letter increments it.
    private static long Natural(long version) => version is >= 0 and < long.MaxValue ? version
        : throw new OverflowException($"The version {version} is out of range.");

    // Later attempts and replays are added.
    private static int Counted(StoredColumn<DeadLetter, int> column, StoredRow row) =>
        column.Of(row) is var value && value is >= 0 and <= MaxCount ? value
            : throw new OverflowException($"The {column.Name} {value} are out of range.");

    private static HttpResilienceStorageException Missing(string column) => new($"The resolution has no {column}.");
}
