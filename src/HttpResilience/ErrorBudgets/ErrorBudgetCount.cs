namespace HttpResilience.Storage;

/// <summary>The number of calls of a client that ended in one way.</summary>
/// <param name="ClientName">The client.</param>
/// <param name="Version">The version of the application that made the calls.</param>
/// <param name="Period">The begin of the 5 minutes in which the calls ended.</param>
/// <param name="FailureClass">The way in which the calls ended.</param>
/// <param name="Calls">The number of calls.</param>
public sealed record ErrorBudgetCount(string ClientName, string Version, DateTimeOffset Period, FailureClass FailureClass, long Calls);
