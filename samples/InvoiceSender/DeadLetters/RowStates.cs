using System.Collections.Concurrent;
using HttpResilience;

namespace InvoiceSender;

/// <summary>The state of each row: from this run, from the run that it resumes, or from a dead letter.</summary>
/// <param name="statusTexts">The status file of the earlier run, the only place that has its receipts.</param>
internal sealed class RowStates(
    EarlierRun earlier, IReadOnlyDictionary<(string Company, string Number), string> statusTexts, InvoiceLetters letters)
{
    private readonly ConcurrentDictionary<Invoice, InvoiceOutcome> _outcomes = [];

    /// <summary>The letters as of the last read.</summary>
    public InvoiceLetters Letters { get; set; } = letters;

    public void Add(InvoiceOutcome outcome) => _outcomes[outcome.Invoice] = outcome;

    public BatchFailure? FailureOf(Invoice invoice) =>
        _outcomes.TryGetValue(invoice, out var outcome) ? outcome.Failure : earlier.Failures.GetValueOrDefault(invoice.Index);

    /// <summary>The letter of the invoice; for a failed invoice the one written for that failure.</summary>
    public DeadLetter? LetterOf(Invoice invoice) =>
        FailureOf(invoice)?.DeadLetterId is { } id ? Letters.Find(invoice, id) : Letters.Of(invoice);

    public bool IsDone(Invoice invoice) => _outcomes.ContainsKey(invoice) || earlier.HasDone(invoice.Index);

    public string TextOf(Invoice invoice)
    {
        if (FailureOf(invoice) is { } failure) return RowStatus.Of(failure, LetterOf(invoice));
        if (_outcomes.TryGetValue(invoice, out var outcome))
            return outcome.Receipt is { } receipt ? RowStatus.Of(receipt) : RowStatus.Of(Letters.SettlementOf(invoice)!);
        if (!earlier.HasDone(invoice.Index)) return RowStatus.NotSent;

        return statusTexts.GetValueOrDefault(invoice.Id) is { } text && RowStatus.IsSettled(text) ? text : RowStatus.SentBeforeKill;
    }
}
