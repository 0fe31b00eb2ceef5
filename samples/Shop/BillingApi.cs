using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Shop;

/// <summary>The API that the invoices go to: it refuses those without a valid VAT id, and knows a key again.</summary>
internal static partial class BillingApi
{
    private static readonly ConcurrentDictionary<string, string> Created = new();

    internal static void MapBillingApi(this WebApplication app) => app.MapPost(
        "/billing/v1/invoices", (HttpRequest request, Invoice invoice) =>
    {
        if (invoice.VatId is not { } vatId || !VatId().IsMatch(vatId))
        {
            return Results.Problem(
                title: "The field “vatId” is not a valid VAT number",
                detail: $"“{invoice.VatId}” has {invoice.VatId?.Count(char.IsLetterOrDigit) ?? 0} characters, 11 are needed.",
                statusCode: 422);
        }

        string id = Created.GetOrAdd(request.Headers["Idempotency-Key"].ToString(), _ => $"{Guid.CreateVersion7()}");
        return Results.Created($"/billing/v1/invoices/{id}", new { id });
    });

    [GeneratedRegex("^[A-Z]{2}[0-9A-Z]{9}$")]
    private static partial Regex VatId();
}
