namespace HttpResilience.Operators;

/// <summary>Something that happened to a letter.</summary>
internal sealed record EventModel
{
    /// <summary>A word of <see cref="LetterWords"/>.</summary>
    public required string Kind { get; init; }

    public required string KindText { get; init; }

    public required DateTimeOffset At { get; init; }

    public string? By { get; init; }

    public string? Instance { get; init; }

    public Guid? Job { get; init; }

    public int? Code { get; init; }

    public string? Title { get; init; }

    public int? Attempts { get; init; }

    /// <summary>The letter that replaces this one, or is replaced by it.</summary>
    public Guid? Other { get; init; }

    public string? Notes { get; init; }

    internal static EventModel Of(LetterEvent happened)
    {
        ArgumentNullException.ThrowIfNull(happened);
        return new()
        {
            Kind = LetterWords.Of(happened.Kind),
            KindText = LetterWords.Text(happened.Kind),
            At = happened.At,
            By = happened.By,
            Instance = happened.Instance,
            Job = happened.JobId,
            Code = happened.StatusCode,
            Title = happened.Title,
            Attempts = happened.Attempts == 0 ? null : happened.Attempts,
            Other = happened.OtherId,
            Notes = happened.Notes,
        };
    }
}

/// <summary>Something that a person did.</summary>
internal sealed record ActivityModel
{
    public required Guid Id { get; init; }

    public required DateTimeOffset At { get; init; }

    public required string By { get; init; }

    public required string Action { get; init; }

    public Guid? Letter { get; init; }

    public Guid? Job { get; init; }

    public string? Client { get; init; }

    public required long Letters { get; init; }

    public string? Notes { get; init; }

    internal static ActivityModel Of(OperatorActivity activity)
    {
        ArgumentNullException.ThrowIfNull(activity);
        return new()
        {
            Id = activity.Id,
            At = activity.At,
            By = activity.By,
            Action = activity.Action,
            Letter = activity.LetterId,
            Job = activity.JobId,
            Client = activity.ClientName,
            Letters = activity.Letters,
            Notes = activity.Notes,
        };
    }
}

/// <summary>A page of the activity.</summary>
/// <param name="Activity">Newest first.</param>
/// <param name="Next">The address of the page after it; null for the last one.</param>
internal sealed record ActivityPage(IReadOnlyList<ActivityModel> Activity, string? Next);

/// <summary>A process that uses the store.</summary>
/// <param name="UnderWay">How many calls were under way; null from a version that does not report it.</param>
/// <param name="NotSeenForSeconds">For how long it has not been seen, from 30 seconds on; null for one that is there.</param>
internal sealed record InstanceModel(
    Guid Id, string Application, string Name, string? Version, bool SendsLetters, IReadOnlyList<string> Clients, DateTimeOffset StartedAt,
    DateTimeOffset SeenAt, int? UnderWay, double? NotSeenForSeconds)
{
    // Three heartbeats.
    private static readonly TimeSpan MissedAfter = TimeSpan.FromSeconds(30);

    internal static InstanceModel Of(StorageInstance instance, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(instance);
        return new(
            instance.Id, instance.Application, instance.Name, instance.Version, instance.Replays,
            [.. instance.Clients.Order(StringComparer.Ordinal)], instance.StartedAt, instance.SeenAt, instance.Report?.CallsUnderWay,
            NotSeenFor(instance.SeenAt, now));
    }

    internal static double? NotSeenFor(DateTimeOffset seenAt, DateTimeOffset now) =>
        // A time far ahead is that of a wrong clock: nobody knows since when it is away.
        (now - seenAt).Duration() > MissedAfter ? Math.Max(0, Math.Floor((now - seenAt).TotalSeconds)) : null;
}

/// <summary>Processes that were seen within the last hour.</summary>
internal sealed record InstanceList(IReadOnlyList<InstanceModel> Instances);
