namespace HttpResilience.Operations;

/// <summary>How an error budget burns.</summary>
/// <param name="Window">Of the budget.</param>
/// <param name="Rate">Over the last such time: 1 uses the budget up exactly at the end of its window.</param>
/// <param name="Failures">How many calls failed in the last such time.</param>
internal readonly record struct BudgetBurn(TimeSpan Window, Func<TimeSpan, double> Rate, Func<TimeSpan, long> Failures);
