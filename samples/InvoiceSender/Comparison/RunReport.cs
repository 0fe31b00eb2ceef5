using HttpResilience;

namespace InvoiceSender;

/// <summary>The result of one run, as seen by the client and as counted at the server.</summary>
internal sealed record RunReport
{
    public required ClientKind Client { get; init; }
    public required InvoiceKeys Keys { get; init; }
    public required int Invoices { get; init; }
    public required int Accepted { get; init; }
    public required IReadOnlyList<RowReport> BadData { get; init; }
    public required IReadOnlyList<RowReport> Failed { get; init; }

    /// <summary>The invoices that were not sent because the run ended early.</summary>
    public required int NotFinished { get; init; }

    /// <summary>The failure that would affect every invoice and ended the run early.</summary>
    public string? StoppedBy { get; init; }

    public required int Attempts { get; init; }
    public required int LogLines { get; init; }
    public required double P50Milliseconds { get; init; }
    public required double P95Milliseconds { get; init; }
    public required double ElapsedSeconds { get; init; }

    public required BudgetReport ErrorBudget { get; init; }

    /// <summary>Absent with --api, because the sample cannot count at another server.</summary>
    public ServerReport? Server { get; init; }

    public static RunReport Create(ClientKind client, InvoiceKeys keys, int invoices, IReadOnlyCollection<InvoiceOutcome> outcomes,
        FlakyApi? server, int requests, int logLines, TimeSpan elapsed, BudgetReport errorBudget)
    {
        double[] milliseconds = [.. outcomes.Select(outcome => outcome.Elapsed.TotalMilliseconds).Order()];
        return new()
        {
            Client = client,
            Keys = keys,
            Invoices = invoices,
            Accepted = outcomes.Count(outcome => outcome.Result is InvoiceResult.Accepted),
            BadData = Rows(outcomes, InvoiceResult.BadData),
            Failed = Rows(outcomes, InvoiceResult.Failed),
            NotFinished = invoices - outcomes.Count,
            Attempts = requests,
            LogLines = logLines,
            P50Milliseconds = Percentile(milliseconds, 0.50),
            P95Milliseconds = Percentile(milliseconds, 0.95),
            ElapsedSeconds = Math.Round(elapsed.TotalSeconds, 2),
            ErrorBudget = errorBudget,
            Server = server is null ? null : ServerReport.Create(server, outcomes),
        };
    }

    private static RowReport[] Rows(IEnumerable<InvoiceOutcome> outcomes, InvoiceResult result) =>
        [.. from outcome in outcomes
            where outcome.Result == result
            orderby outcome.Invoice.Row
            select RowReport.Of(outcome.Invoice, outcome.Failure!)];

    // Nearest rank.
    private static double Percentile(double[] sorted, double rank) =>
        sorted.Length == 0 ? 0 : Math.Round(sorted[(int)Math.Ceiling(rank * sorted.Length) - 1], 1);
}

/// <summary>A row that was not accepted, with the reason as logged.</summary>
/// <param name="Status">The status of the response, or the error type when there was no response.</param>
/// <param name="Next">The next step for the row, such as its replay.</param>
internal sealed record RowReport(
    int Row, string Company, string InvoiceNumber, string Status, string Reason, string? IdempotencyKey, string? Next = null)
{
    public static RowReport Of(Invoice invoice, BatchFailure failure) =>
        new(invoice.Row, invoice.Company, invoice.InvoiceNumber, failure.Status, failure.Error, failure.IdempotencyKey);
}
