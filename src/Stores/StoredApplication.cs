namespace HttpResilience;

/// <summary>
/// The application whose rows a store writes and reads. Letters name it in a column. The tables of version 1 have keys that its running
/// processes use, so their names carry it as a prefix. Rows without an application, from version 1, belong to every one: they are used
/// where this application has no row of its own.
/// </summary>
internal sealed class StoredApplication(string name)
{
    private const char Separator = '\u001f';

    /// <summary>Its name in the rows.</summary>
    internal string Name { get; } = Plain(name);

    /// <summary>The letter as this application stores it.</summary>
    internal DeadLetter Owned(DeadLetter letter) => letter.Application.Length > 0 ? letter : letter with { Application = Name };

    /// <summary>The applications whose letters a claim includes.</summary>
    internal string[] ClaimedBy(DeadLetterClaim claim) =>
        [.. claim.Applications.Select(Plain).Append(Name).Append("").Distinct()];

    /// <summary>The applications whose letters this one counts.</summary>
    internal string[] Counted => Name.Length == 0 ? [""] : ["", Name];

    /// <summary>The name of a client or batch in the rows of this application.</summary>
    internal string Own(string name) => Name.Length == 0 ? Plain(name) : $"{Name}{Separator}{Plain(name)}";

    /// <summary>What the names in the rows of an application begin with; a name without it is one of no application.</summary>
    internal static string SeparatorText { get; } = Separator.ToString();

    /// <summary>The beginning of the names in the rows of this application; null when it has no name.</summary>
    internal string? Prefix => Name.Length == 0 ? null : $"{Name}{Separator}";

    /// <summary>The name of a client or batch in the rows of no application.</summary>
    internal static string OfNone(string name) => Plain(name);

    /// <summary>The name of a client or version in a row; null when the row belongs to another application.</summary>
    internal string? NameIn(string stored)
    {
        int end = stored.IndexOf(Separator, StringComparison.Ordinal);
        return end < 0 || stored.AsSpan(0, end).SequenceEqual(Name) ? NameInAny(stored) : null;
    }

    /// <summary>The name in a row, whichever application it belongs to.</summary>
    internal static string NameInAny(string stored) => stored[(stored.IndexOf(Separator, StringComparison.Ordinal) + 1)..];

    // A name with the separator would be that of another application.
    private static string Plain(string name) => StoredText.Storable(name)!.Replace(Separator, '\ufffd');

    /// <summary>The pauses of this application and of none; of two of a client the later one is in effect.</summary>
    internal IReadOnlyList<ErrorBudgetPause> PausesIn(IEnumerable<ErrorBudgetPause> rows) =>
    [
        .. rows.Select(p => NameIn(p.ClientName) is { } client ? p with { ClientName = client } : null).OfType<ErrorBudgetPause>()
            .GroupBy(p => p.ClientName, StringComparer.Ordinal).Select(g => g.MaxBy(p => p.At)!)
            .OrderBy(p => p.ClientName, StringComparer.Ordinal),
    ];

    /// <summary>The versions of this application and of none, the last started first.</summary>
    internal IReadOnlyList<DeployedVersion> VersionsIn(IEnumerable<DeployedVersion> rows) =>
    [
        .. rows.Select(v => NameIn(v.Version) is { } version ? v with { Version = version } : null).OfType<DeployedVersion>()
            .GroupBy(v => v.Version, StringComparer.Ordinal)
            .Select(g => new DeployedVersion(g.Key, g.Min(v => v.FirstSeenAt), g.Max(v => v.LastStartedAt)))
            .OrderByDescending(v => v.LastStartedAt).ThenBy(v => v.Version, StringComparer.Ordinal),
    ];
}
