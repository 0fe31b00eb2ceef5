namespace HttpResilience.AspNetCore;

/// <summary>The filter of a list of letters, as it was typed.</summary>
/// <param name="Words">The words that are valid.</param>
/// <param name="Problems">What is wrong with the others; they have no effect.</param>
/// <param name="Clients">The clients that can be chosen.</param>
internal sealed record FilterForm(
    IReadOnlyList<KeyValuePair<string, string>> Words, IReadOnlyList<FilterProblem> Problems, IReadOnlyList<string> Clients)
{
    internal string this[string word] => Words.FirstOrDefault(w => w.Key == word).Value ?? "";

    internal bool IsEmpty => Words.Count == 0;
}

/// <summary>Letters by cause.</summary>
internal sealed record GroupsModel(FilterForm Filter, IReadOnlyList<GroupRow> Groups, bool HasMore)
{
    internal long Letters => Groups.Sum(g => g.Group.Count);

    /// <summary>How many open letters there are without the filter; null when there is none, or it did not matter.</summary>
    public long? WithoutFilter { get; init; }

    /// <summary>The store keeps letters of this application.</summary>
    public bool KeepsLetters { get; init; } = true;
}

/// <summary>A group in the list.</summary>
/// <param name="Group">The group.</param>
/// <param name="New">Its new letters of the last day, by hour.</param>
internal sealed record GroupRow(DeadLetterGroup Group, BarPlot New);

/// <summary>Letters one by one.</summary>
/// <param name="Filter">The filter.</param>
/// <param name="Letters">The letters.</param>
/// <param name="Older">The address of the next page below the prefix; null for the last one.</param>
internal sealed record LetterListModel(FilterForm Filter, IReadOnlyList<LetterRow> Letters, string? Older)
{
    public long? WithoutFilter { get; init; }
}

/// <summary>A letter in a list.</summary>
/// <param name="Letter">The letter, without body.</param>
/// <param name="Name">What it is called.</param>
internal sealed record LetterRow(DeadLetter Letter, string Name)
{
    /// <summary>Its other tags in one line.</summary>
    internal string Tags => string.Join(", ", Letter.Tags.Where(t => t.Value != Name).OrderBy(t => t.Key, StringComparer.Ordinal)
        .Take(3).Select(t => $"{t.Key} {t.Value}"));
}

/// <summary>One group.</summary>
internal sealed record GroupPageModel
{
    /// <summary>Null when it has no open letter.</summary>
    public DeadLetterGroup? Group { get; init; }

    /// <summary>One of its letters, which says what the group is about.</summary>
    public required DeadLetter Example { get; init; }

    public required string Fingerprint { get; init; }

    public required IReadOnlyList<LetterRow> Letters { get; init; }

    public string? Older { get; init; }

    /// <summary>New letters of the last seven days, by four hours; of the newest thousand.</summary>
    public required BarPlot New { get; init; }

    public required IReadOnlyList<(string Name, long Letters)> Tenants { get; init; }

    public required IReadOnlyList<(string Name, long Letters)> Hosts { get; init; }

    /// <summary>How many letters the numbers are made of.</summary>
    public required int Counted { get; init; }

    /// <summary>Jobs that are under way.</summary>
    public required IReadOnlyList<JobRow> Jobs { get; init; }
}

/// <summary>A job, and how far it is.</summary>
internal sealed record JobRow(LetterJob Job, LetterJobProgress Progress)
{
    internal long Done => Progress.Accepted + Progress.Refused;

    internal int Percent => Job.Total <= 0 ? 100
        : (int)Math.Min(100, 100 * (Job.Request.Action is LetterJobAction.Replay ? Done : Job.Taken) / Job.Total);
}

/// <summary>One letter.</summary>
internal sealed record LetterPageModel
{
    public required DeadLetter Letter { get; init; }

    public required string Name { get; init; }

    public required LetterBodyText Body { get; init; }

    /// <summary>The person may see the body.</summary>
    public required bool ShowsBody { get; init; }

    /// <summary>For who may not: JSON with the secret fields struck out; null for none.</summary>
    public string? Struck { get; init; }

    /// <summary>Who may not: why.</summary>
    public string? WhyHidden { get; init; }

    /// <summary>The letter of the same group that failed after it, and the one before it.</summary>
    public Guid? Newer { get; init; }

    public Guid? Older { get; init; }

    /// <summary>What a person has typed, when the page comes back.</summary>
    public LetterDraft? Draft { get; init; }

    /// <summary>What is wrong with it, by field.</summary>
    public IReadOnlyDictionary<string, string[]> Errors { get; init; } = new Dictionary<string, string[]>();

    /// <summary>What changes; null when it was not asked for.</summary>
    public IReadOnlyList<DifferenceLine>? Difference { get; init; }

    /// <summary>The draft is the letter as it is: it can only be sent as it is.</summary>
    public bool IsUnchanged { get; init; }

    /// <summary>The letter has changed since the person opened it.</summary>
    public bool HasChangedMeanwhile { get; init; }
}

/// <summary>A correction as it was typed.</summary>
internal sealed record LetterDraft(string? Text, string Method, string Address, string Headers);

/// <summary>Asks before something is done that is not undone by a click.</summary>
internal sealed record AskModel(string Heading, string Action, string Button, string Back)
{
    public string? Sub { get; init; }

    public required IReadOnlyList<(string Name, string Text)> Facts { get; init; }

    public required IReadOnlyList<(string Name, string Value)> Fields { get; init; }

    /// <summary>A number that must be typed; null when none must be.</summary>
    public long? TypedNumber { get; init; }

    /// <summary>A box: its name and its text.</summary>
    public (string Name, string Text)? Box { get; init; }

    /// <summary>A text can be written down with it.</summary>
    public string? NotesLabel { get; init; }

    /// <summary>The number that was shown is compared when the button is pressed.</summary>
    public bool Recounts { get; init; }

    public string? Error { get; init; }
}

/// <summary>One job.</summary>
/// <param name="Row">The job, and how far it is.</param>
/// <param name="Refused">The newest of its letters that were not accepted.</param>
/// <param name="NobodySends">No instance sends letters.</param>
internal sealed record JobPageModel(JobRow Row, IReadOnlyList<LetterRow> Refused, bool NobodySends);

/// <summary>Who did what.</summary>
/// <param name="Entries">The newest first.</param>
/// <param name="Older">The address of the next page below the prefix; null for the last one.</param>
internal sealed record ActivityPageModel(IReadOnlyList<OperatorActivity> Entries, string? Older);
