namespace HttpResilience;

/// <summary>Which dead letters are wanted: those that fit everything that is not null, newest first.</summary>
public sealed record DeadLetterQuery
{
    /// <summary>Where they are on their way.</summary>
    public DeadLetterStatus? Status { get; init; }

    /// <summary>The client that sent them.</summary>
    public string? ClientName { get; init; }

    /// <summary>Scheme, host and port that they went to, as <see cref="DeadLetter.Authority"/> has it.</summary>
    public string? Authority { get; init; }

    /// <summary>The customer on whose behalf they were sent.</summary>
    public string? Tenant { get; init; }

    /// <summary>What kind of failure they ended with.</summary>
    public FailureClass? FailureClass { get; init; }

    /// <summary>Those that failed first at this time or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Those that failed first before this time.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Those older than the letter of this id: the last one of the page before. Null for the first page.</summary>
    public Guid? Before { get; init; }

    /// <summary>The size of a page. 1 to 1000; default 50.</summary>
    public int Limit
    {
        get;
        init => field = value is >= 1 and <= 1000 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A page has 1 to 1000 letters.");
    } = 50;
}
