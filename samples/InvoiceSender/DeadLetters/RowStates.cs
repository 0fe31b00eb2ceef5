using System.Collections.Concurrent;
using HttpResilience;

namespace InvoiceSender;

/// <summary>What has become of each row so far: in this run, in one that it goes on with, or by a letter.</summary>
/// <param name="noted">What the status file of the earlier run says: a receipt is nowhere else.</param>
internal sealed class RowStates(EarlierRun earlier, IReadOnlyDictionary<(string Company, string Number), string> noted, InvoiceLetters letters)
{
    private readonly ConcurrentDictionary<Invoice, InvoiceOutcome> _outcomes = [];

    /// <summary>As they were when they were last read.</summary>
    public InvoiceLetters Letters { get; set; } = letters;

    public void Add(InvoiceOutcome outcome) => _outcomes[outcome.Invoice] = outcome;

    public BatchFailure? FailureOf(Invoice invoice) =>
        _outcomes.TryGetValue(invoice, out var outcome) ? outcome.Failure : earlier.Failures.GetValueOrDefault(invoice.Index);

    /// <summary>What was refused before has the letter of then.</summary>
    public DeadLetter? LetterOf(Invoice invoice) => FailureOf(invoice)?.DeadLetterId is { } id ? Letters.Find(invoice, id) : Letters.Of(invoice);

    public bool IsDone(Invoice invoice) => _outcomes.ContainsKey(invoice) || earlier.HasDone(invoice.Index);

    public string TextOf(Invoice invoice)
    {
        if (FailureOf(invoice) is { } failure) return RowStatus.Of(failure, LetterOf(invoice));
        if (_outcomes.TryGetValue(invoice, out var outcome))
            return outcome.Receipt is { } receipt ? RowStatus.Of(receipt) : RowStatus.Of(Letters.SettlementOf(invoice)!);
        if (!earlier.HasDone(invoice.Index)) return RowStatus.NotSent;

        return noted.GetValueOrDefault(invoice.Id) is { } text && RowStatus.IsSettled(text) ? text : RowStatus.SentBeforeKill;
    }
}
