using System.Text.Json;
using System.Text.Json.Nodes;
using HttpResilience;

namespace InvoiceSender;

/// <summary>The dead letters of each invoice, whatever their keys, because a corrected letter has a new key.</summary>
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

    /// <summary>The newest open letter of the invoice, else its newest letter.</summary>
    public DeadLetter? Of(Invoice invoice) =>
        _letters[invoice.Id].FirstOrDefault(IsOpen) ?? _letters[invoice.Id].FirstOrDefault();

    /// <summary>
    /// The letter that settled the invoice: accepted after a correction, or resolved by a person. The
    /// row of the file must not be sent as well.
    /// </summary>
    public DeadLetter? SettlementOf(Invoice invoice) => _letters[invoice.Id].FirstOrDefault(letter =>
        letter is { Status: DeadLetterStatus.Replayed, Replaces: not null }
            || (letter.Status is DeadLetterStatus.Resolved && letter.Resolution?.Action is not Sent));

    /// <summary>Resolves the open letters of an invoice that the file has sent, so that they are not replayed.</summary>
    public async Task CloseAsync(IDeadLetterReview review, Invoice invoice, string why, Guid? except)
    {
        foreach (var letter in _letters[invoice.Id]
            .Where(letter => letter.Status is DeadLetterStatus.Pending or DeadLetterStatus.RequiresReview && letter.Id != except))
        {
            try
            {
                await review.ResolveAsync(letter.Id, Sent, why, nameof(InvoiceSender));
            }
            catch (InvalidOperationException)
            {
                // The letter is being sent or was resolved in the meantime.
            }
        }
    }

    private static bool IsOpen(DeadLetter letter) =>
        letter.Status is DeadLetterStatus.Pending or DeadLetterStatus.InProgress or DeadLetterStatus.RequiresReview;

    private static (string Company, string Number) Id(DeadLetter letter) => BodyOf(letter) is { } invoice
        ? ($"{invoice["company"]}", $"{invoice["invoiceNumber"]}")
        : ("", letter.Id.ToString());

    // A person may have made anything of it.
    private static JsonObject? BodyOf(DeadLetter letter)
    {
        try
        {
            return letter.Body is { Length: > 0 } body ? JsonNode.Parse(body.Span) as JsonObject : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
