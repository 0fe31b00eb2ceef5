namespace InvoiceSender;

/// <summary>The part of the error budget that a run has burnt.</summary>
/// <param name="Objective">The fraction of calls that must succeed.</param>
/// <param name="Burn">1 is the whole budget; it can be more.</param>
internal sealed record BudgetReport(double Objective, long Calls, long Failures, double Burn)
{
    public static BudgetReport Of(ErrorBudgetStatus status) =>
        new(status.Objective, status.Calls, status.Failures, Math.Round(status.Burn, 4));

    /// <summary>The same calculation for a client without a budget, for which each invoice is one call.</summary>
    public static BudgetReport OfOutcomes(IReadOnlyCollection<InvoiceOutcome> outcomes, double objective)
    {
        var failures = outcomes.Count(outcome => outcome.Result is InvoiceResult.Failed);
        return new(
            objective, outcomes.Count, failures, outcomes.Count == 0 ? 0 : Math.Round(failures / (outcomes.Count * (1 - objective)), 4));
    }
}
