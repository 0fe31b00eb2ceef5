using System.Text.Json.Nodes;
using HttpResilience;

namespace InvoiceSender;

/// <summary>The dead letters of each invoice, whatever their keys: a correction has another.</summary>
internal sealed class InvoiceLetters
{
    private const string Sent = "Sent";
    private const int PageSize = 500;
    private readonly ILookup<(string Company, string Number), DeadLetter> _letters;

    private InvoiceLetters(IEnumerable<DeadLetter> letters) => _letters = letters.ToLookup(Id);

    public static async Task<InvoiceLetters> ReadAsync(IDeadLetterReview review, CancellationToken cancellationToken)
    {
        List<DeadLetter> all = [];
        var query = new DeadLetterQuery { Limit = PageSize };
        while (await review.ListAsync(query, cancellationToken) is { Count: > 0 } page)
        {
            all.AddRange(page);
            query = query with { Before = page[^1].Id };
        }

        return new(all);
    }

    public DeadLetter? Find(Invoice invoice, Guid id) => _letters[invoice.Id].FirstOrDefault(letter => letter.Id == id);

    /// <summary>The letter that counts: the newest that is open, else the newest.</summary>
    public DeadLetter? Of(Invoice invoice) => _letters[invoice.Id].FirstOrDefault(letter => letter.IsOpen) ?? _letters[invoice.Id].FirstOrDefault();

    /// <summary>The letter by which somebody has settled the invoice: accepted as corrected, or seen to in another way. The row of the file must not go out beside it.</summary>
    public DeadLetter? SettlementOf(Invoice invoice) => _letters[invoice.Id].FirstOrDefault(letter =>
        letter is { Status: DeadLetterStatus.Replayed, Replaces: not null } || (letter.Status is DeadLetterStatus.Resolved && letter.Resolution?.Action is not Sent));

    /// <summary>Nobody is to send what the file has sent, or has sent anew.</summary>
    public async Task CloseAsync(IDeadLetterReview review, Invoice invoice, string why, Guid? except)
    {
        foreach (var letter in _letters[invoice.Id].Where(letter => letter.Status is DeadLetterStatus.Pending or DeadLetterStatus.RequiresReview && letter.Id != except))
        {
            try
            {
                await review.ResolveAsync(letter.Id, Sent, why, nameof(InvoiceSender));
            }
            catch (InvalidOperationException)
            {
                // Somebody has taken it in hand since.
            }
        }
    }

    private static (string Company, string Number) Id(DeadLetter letter) => letter.Json() is JsonObject invoice
        ? ($"{invoice["company"]}", $"{invoice["invoiceNumber"]}")
        : ("", letter.Id.ToString());
}
