using HttpResilience;

namespace InvoiceSender;

/// <summary>How much of the calls' error budget a run has burnt.</summary>
/// <param name="Objective">Which part of the calls must be answered.</param>
/// <param name="Burn">1 is all of the budget, and it can be more.</param>
internal sealed record BudgetReport(double Objective, long Calls, long Failures, double Burn)
{
    public static BudgetReport Of(ErrorBudgetStatus status) => new(status.Objective, status.Calls, status.Failures, Math.Round(status.Burn, 4));

    /// <summary>The same arithmetic for a client that has no budget: each invoice is one call there.</summary>
    public static BudgetReport OfBare(IReadOnlyCollection<InvoiceOutcome> outcomes, double objective)
    {
        var failures = outcomes.Count(outcome => outcome.Result is InvoiceResult.Failed);
        return new(objective, outcomes.Count, failures, outcomes.Count == 0 ? 0 : Math.Round(failures / (outcomes.Count * (1 - objective)), 4));
    }
}
