namespace HttpResilience.Operations;

/// <summary>An immutable snapshot of <see cref="ErrorBudgetOptions"/>.</summary>
/// <param name="Allowed">The share of calls that may fail.</param>
internal sealed record ErrorBudgetPolicy(double Objective, double Allowed, TimeSpan Window, double? PauseAtBurn)
{
    // Rounded: 1 - 0.999 is a little more than 0.001, and hand-computed limits would be missed by a hair.
    internal static ErrorBudgetPolicy From(ErrorBudgetOptions options) =>
        new(options.Objective, Math.Round(1 - options.Objective, 10), options.Window, options.PauseAtBurn);
}
