using Microsoft.Extensions.Logging;

namespace HttpResilience.Operations;

/// <summary>Logs the changes of error budgets.</summary>
internal sealed partial class ErrorBudgetEvents(ILogger logger)
{
    internal const string LogCategory = "HttpResilience.ErrorBudget";

    private const string TheBudget = "its error budget", Probes = "probes that succeeded";

    internal void Moved(string clientName, ErrorBudgetState state, double burn, TimeSpan window)
    {
        if (state is ErrorBudgetState.Quiet)
            BurnsNoLonger(logger, clientName, Share(burn), window, Percent(burn));
        else
            Burns(logger, clientName, state, Share(burn), window, Percent(burn));
    }

    internal void Paused(string clientName, string? by, double burn) =>
        Paused(logger, clientName, by is null ? TheBudget : SingleLine.Clean(by), Share(burn), Percent(burn));

    internal void ProbeGoesOut(string clientName) => Probe(logger, clientName);

    internal void Resumed(string clientName, string? by) => Resumed(logger, clientName, by is null ? Probes : SingleLine.Clean(by));

    private static string Share(double burn) => BudgetShare.Show(burn, "the error budget");

    private static long Percent(double burn) => (long)Math.Min(Math.Round(burn * 100), long.MaxValue / 2);

    // The percentage is a property for queries, which its format hides in the text.
    [LoggerMessage(601, LogLevel.Warning,
        "{ClientName}: the error budget is {State}, {Burn} is used up (window {Window}){BurnPercent:;;}")]
    private static partial void Burns(
        ILogger logger, string clientName, ErrorBudgetState state, string burn, TimeSpan window, long burnPercent);

    [LoggerMessage(602, LogLevel.Information,
        "{ClientName}: the error budget is quiet again, {Burn} is used up (window {Window}){BurnPercent:;;}")]
    private static partial void BurnsNoLonger(ILogger logger, string clientName, string burn, TimeSpan window, long burnPercent);

    [LoggerMessage(603, LogLevel.Error,
        "{ClientName}: the integration is paused by {By}, nothing is sent; {Burn} is used up. To resume it at once: "
        + "IErrorBudgets.ResumeAsync{BurnPercent:;;}")]
    private static partial void Paused(ILogger logger, string clientName, string by, string burn, long burnPercent);

    [LoggerMessage(604, LogLevel.Debug, "{ClientName}: the integration is paused, a probe goes out")]
    private static partial void Probe(ILogger logger, string clientName);

    [LoggerMessage(605, LogLevel.Information, "{ClientName}: the integration is resumed by {By}")]
    private static partial void Resumed(ILogger logger, string clientName, string by);
}
