using HttpResilience;

namespace Shop;

/// <summary>The typed client: it knows nothing of retries, circuits and letters.</summary>
internal sealed class BillingClient(HttpClient http)
{
    internal async Task SendAsync(Invoice invoice, CancellationToken cancellationToken)
    {
        using var scope = HttpCallScope.Begin(new()
        {
            Tenant = invoice.Customer,
            Tags = { ["document"] = $"Invoice {invoice.Number}" },
        });
        using var response = await http.PostAsJsonAsync("/billing/v1/invoices", invoice, cancellationToken);
        response.EnsureSuccessStatusCode();
    }
}

internal sealed record Invoice(string Number, string Customer, string? VatId, string Currency, decimal Total);
