namespace InvoiceSender;

/// <summary>Describes the API's ledger in one sentence.</summary>
internal static class LedgerText
{
    public static string Of(IReadOnlyDictionary<(string Company, string Number), int> stored) =>
        Of(stored.Count, stored.Values.Count(times => times > 1));

    public static string Of(int stored, int duplicated) =>
        $"The API's ledger has {stored} invoices, {(duplicated == 0 ? "each once" : $"{duplicated} of them more than once")}.";
}
