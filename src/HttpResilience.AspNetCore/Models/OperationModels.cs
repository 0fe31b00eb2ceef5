using HttpResilience.Operations;

namespace HttpResilience.AspNetCore;

/// <summary>One client: its hosts on all instances, its pause, its budget and its settings.</summary>
internal sealed record ClientPageModel
{
    public required ClientRow Row { get; init; }

    /// <summary>The instance that made the page.</summary>
    public required string Instance { get; init; }

    /// <summary>Its hosts on all instances; null without a store, or when it does not answer.</summary>
    public IReadOnlyList<SharedCircuit>? Circuits { get; init; }

    /// <summary>The pause that holds; null for none.</summary>
    public PauseModel? Pause { get; init; }

    /// <summary>The application can pause its clients: it has a store.</summary>
    public required bool CanPause { get; init; }

    public ErrorBudgetStatus? Budget { get; init; }

    public required IReadOnlyList<ClientSetting> Settings { get; init; }

    public required bool ShowsAll { get; init; }

    /// <summary>What is wrong with a later configuration, which is therefore not in force.</summary>
    public string? Rejected { get; init; }

    /// <summary>How the page begins.</summary>
    internal string Heading => Pause is { } pause ? $"{Row.Client.Name} is paused by {ForeignText.Visible(pause.ByText, 60)}"
        : Row.State switch
        {
            CircuitState.Open => $"{Row.Client.Name} does not get an answer",
            CircuitState.HalfOpen => $"{Row.Client.Name} is being tried",
            CircuitState.Isolated => $"A host of {Row.Client.Name} is held back",
            _ => $"{Row.Client.Name} works",
        };
}

/// <summary>The incidents.</summary>
/// <param name="Incidents">Open first, then ended.</param>
/// <param name="Unreadable">How many a newer version has written.</param>
/// <param name="IsOn">The application has alerts.</param>
internal sealed record AlertsModel(IReadOnlyList<IncidentModel> Incidents, int Unreadable, bool IsOn);

/// <summary>One batch, and a page of its failures.</summary>
/// <param name="Batch">How far it is.</param>
/// <param name="Failures">By index.</param>
/// <param name="Next">The address of the next page below the prefix; null for the last one.</param>
internal sealed record BatchPageModel(BatchModel Batch, IReadOnlyList<BatchFailure> Failures, string? Next);

/// <summary>What the page says of incidents and batches.</summary>
internal static class OperationTexts
{
    internal static string KindOf(IncidentModel incident) => !incident.IsOpen ? "done" : incident.Severity == "critical" ? "bad" : "person";

    /// <summary>The page of what an incident is about, below the prefix; null for none.</summary>
    internal static string? PathOf(IncidentModel incident) => incident.About;

    internal static string StateOf(BatchModel batch, DateTimeOffset now) => batch.IsRunning ? "Under way"
        : batch.Total is { } total && batch.Done >= total ? "Done" : "Nobody works on it";

    internal static string KindOf(BatchModel batch) => batch.IsRunning ? "busy"
        : batch.Total is { } total && batch.Done >= total ? "done" : "person";

    internal static int PercentOf(BatchModel batch) =>
        batch.Total is > 0 and { } total ? (int)Math.Clamp(100 * batch.Done / total, 0, 100) : 0;

    /// <summary>A share for people, such as <c>0.5 %</c>.</summary>
    internal static string Percent(double share) => PageTimes.Invariant($"{100 * share:0.##} %");
}
