namespace InvoiceSender;

/// <summary>What the API has stored, and the answers that it gave under each Idempotency-Key.</summary>
internal sealed class Ledger
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Company, string Number), int> _stored = [];
    private readonly Dictionary<string, (Invoice Invoice, Answer Answer)> _answers = [];
    private int _lastId;

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
