using HttpResilience.Operations;

namespace HttpResilience.AspNetCore;

/// <summary>Something that needs someone, or that someone should know.</summary>
/// <param name="Kind">The shape: bad, person, held.</param>
/// <param name="Title">The sentence.</param>
/// <param name="Text">What to do.</param>
/// <param name="Path">The address below the prefix where it can be done.</param>
/// <param name="Button">What that address is.</param>
internal sealed record Notice(string Kind, string Title, string Text, string Path, string Button)
{
    /// <summary>Since when; null when it is not known.</summary>
    public DateTimeOffset? Since { get; init; }
}

/// <summary>The first page: what needs someone, and how everything does.</summary>
internal sealed record OverviewModel
{
    private static readonly string[] Words = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"];

    public required IReadOnlyList<Notice> Notices { get; init; }

    /// <summary>Null when the application keeps no letters, or the store did not answer.</summary>
    public required DeadLetterCounts? Counts { get; init; }

    /// <summary>The store did not answer in time.</summary>
    public required bool StoreIsAway { get; init; }

    public required IReadOnlyList<ClientRow> Clients { get; init; }

    public required IReadOnlyList<StorageInstance> Instances { get; init; }

    /// <summary>The name of the instance that made the page.</summary>
    public required string This { get; init; }

    internal string Heading => Notices.Count switch
    {
        0 => "All is well: nothing needs anyone",
        1 => "One thing needs someone",
        var many => $"{(many < Words.Length ? Words[many] : PageTimes.Number(many))} things need someone",
    };
}

/// <summary>A client in a list.</summary>
internal sealed record ClientRow(ObservedClient Client, long Letters, long NeedPerson)
{
    /// <summary>The pause that holds; null for none, or when the store does not answer.</summary>
    public PauseModel? Pause { get; init; }

    /// <summary>Null without an error budget.</summary>
    public ErrorBudgetStatus? Budget { get; init; }

    /// <summary>The calls of this instance in the last hour, by minute, and their retries.</summary>
    internal (BarPlot Calls, long Retries) LastHour { get; } =
        RecentCalls.Of(Client)?.LastHour() ?? (new(new long[CallMinutes.Minutes]), 0);

    internal long Calls => LastHour.Calls.Sum;

    internal long Failed => LastHour.Calls.Failed.Sum();

    /// <summary>The share that failed, for people; empty without calls.</summary>
    internal string FailedShare => Calls == 0 ? "" : OperationTexts.Percent((double)Failed / Calls);

    /// <summary>Something is wrong with it.</summary>
    internal bool IsConspicuous => Pause is not null || State is not CircuitState.Closed || Budget is { Burn: >= 1 };

    internal IReadOnlyList<ObservedHost> Hosts =>
        [.. Client.ObservedHosts.OrderBy(h => h.Authority, StringComparer.Ordinal).ThenBy(h => h.Tenant, StringComparer.Ordinal)];

    /// <summary>The host that fares worst: held back, open, being tried, else any.</summary>
    internal CircuitState State => Client.ObservedHosts.Select(h => h.CircuitState).DefaultIfEmpty(CircuitState.Closed)
        .MaxBy(s => s switch { CircuitState.Isolated => 3, CircuitState.Open => 2, CircuitState.HalfOpen => 1, _ => 0 });
}
