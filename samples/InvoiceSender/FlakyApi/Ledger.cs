namespace InvoiceSender;

/// <summary>What the API has stored, and the answers that it gave under each Idempotency-Key.</summary>
internal sealed class Ledger
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Company, string Number), int> _stored = [];
    private readonly Dictionary<string, (Invoice Invoice, Answer Answer)> _answers = [];
    private int _lastId;

    public Ledger()
    {
    }

    public Ledger(LedgerFile file)
    {
        foreach (var entry in file.Stored) _stored.Add((entry.Company, entry.InvoiceNumber), entry.Times);
        foreach (var given in file.Answers) _answers.Add(given.IdempotencyKey, (given.Invoice, given.Answer));
        _lastId = file.LastId;
    }

    public LedgerFile ToFile(int port)
    {
        lock (_lock)
        {
            return new(
                port, _lastId,
                [.. _stored.Select(entry => new LedgerFile.Entry(entry.Key.Company, entry.Key.Number, entry.Value))],
                [.. _answers.Select(given => new LedgerFile.Given(given.Key, given.Value.Invoice, given.Value.Answer))]);
        }
    }

    public Answer Process(Invoice invoice, string? idempotencyKey)
    {
        lock (_lock)
        {
            if (idempotencyKey is null) return Store(invoice);

            if (_answers.TryGetValue(idempotencyKey, out var earlier))
                return earlier.Invoice == invoice ? earlier.Answer : new(null, KeyReused);

            var answer = Store(invoice);
            _answers.Add(idempotencyKey, (invoice, answer));
            return answer;
        }
    }

    /// <summary>How many times each invoice is stored.</summary>
    public IReadOnlyDictionary<(string Company, string Number), int> Stored()
    {
        lock (_lock) return new Dictionary<(string Company, string Number), int>(_stored);
    }

    private static Problem KeyReused => new() { Title = "The Idempotency-Key was used for another invoice", Status = StatusCodes.Status422UnprocessableEntity };

    private Answer Store(Invoice invoice)
    {
        if (InvoiceRules.Check(invoice) is { } problem) return new(null, problem);

        _stored[invoice.Id] = _stored.GetValueOrDefault(invoice.Id) + 1;
        return new(new Receipt($"in_{++_lastId:D6}", invoice.InvoiceNumber), null);
    }

    internal readonly record struct Answer(Receipt? Receipt, Problem? Problem);
}
