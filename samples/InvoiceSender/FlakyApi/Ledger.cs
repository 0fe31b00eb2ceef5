namespace InvoiceSender;

/// <summary>The invoices that the API has stored and its response for each Idempotency-Key.</summary>
internal sealed class Ledger
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Company, string Number), int> _stored = [];
    private readonly Dictionary<string, (Invoice Invoice, Answer Answer)> _answers = [];
    private readonly LedgerFile? _file;
    private int _lastId;

    public Ledger()
    {
    }

    public Ledger(LedgerFile file)
    {
        foreach (var entry in file.Entries) Remember(entry);
        _file = file;
    }

    public Answer Process(Invoice invoice, string? idempotencyKey)
    {
        lock (_lock)
        {
            if (idempotencyKey is not null && _answers.TryGetValue(idempotencyKey, out var earlier))
                return earlier.Invoice == invoice ? earlier.Answer : new(null, KeyReused);

            var answer = InvoiceRules.Check(invoice) is { } problem
                ? new Answer(null, problem)
                : new(new($"in_{_lastId + 1:D6}", invoice.InvoiceNumber), null);
            LedgerFile.Entry entry = new(idempotencyKey, invoice, answer);
            _file?.Append(entry);
            Remember(entry);
            return answer;
        }
    }

    /// <summary>How many times each invoice is stored.</summary>
    public IReadOnlyDictionary<(string Company, string Number), int> Stored()
    {
        lock (_lock) return new Dictionary<(string Company, string Number), int>(_stored);
    }

    private static Problem KeyReused =>
        new() { Title = "The Idempotency-Key was used for another invoice", Status = StatusCodes.Status422UnprocessableEntity };

    private void Remember(LedgerFile.Entry entry)
    {
        if (entry.IdempotencyKey is { } key) _answers.Add(key, (entry.Invoice, entry.Answer));
        if (entry.Answer.Receipt is null) return;

        _lastId++;
        _stored[entry.Invoice.Id] = _stored.GetValueOrDefault(entry.Invoice.Id) + 1;
    }

    internal readonly record struct Answer(Receipt? Receipt, Problem? Problem);
}
