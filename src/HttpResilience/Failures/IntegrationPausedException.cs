using System.Globalization;

namespace HttpResilience;

/// <summary>
/// Nothing was sent: the client is paused, because its error budget is exhausted (<c>ErrorBudget:PauseAtBurn</c>) or an operator paused it
/// (<c>IErrorBudgets.PauseAsync</c>). <see cref="RejectedException.RetryAfter"/> is the shortest time until a call is sent as a probe; null
/// when an operator paused the client and has to resume it.
/// </summary>
public sealed class IntegrationPausedException : RejectedException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="clientName">The client that is paused.</param>
    /// <param name="since">When the pause began.</param>
    /// <param name="retryAfter">Shortest time until a call is sent as a probe; null when none will be.</param>
    public IntegrationPausedException(string clientName, DateTimeOffset since, TimeSpan? retryAfter)
        : base(retryAfter)
    {
        ClientName = clientName;
        Since = since;
    }

    /// <summary>Always null: the pause applies to every host the client calls.</summary>
    public override string? Authority => null;

    /// <summary>The client that is paused.</summary>
    public string ClientName { get; }

    /// <summary>When the pause began.</summary>
    public DateTimeOffset Since { get; }

    internal override StopReason StopReason => StopReason.IntegrationPaused;

    internal override FailureClass FailureClass => FailureClass.Transient;

    private protected override string Describe() => RetryAfter is { } wait
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"Client '{ClientName}' has been paused since {Since:u}; the next probe is sent in {wait.TotalSeconds:0.0} s at the earliest.")
        : string.Create(
            CultureInfo.InvariantCulture, $"Client '{ClientName}' has been paused since {Since:u}; an operator has to resume it.");
}
