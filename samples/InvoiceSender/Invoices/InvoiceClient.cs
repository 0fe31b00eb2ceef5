namespace InvoiceSender;

/// <summary>An ordinary typed client; it does not know whether it was registered with resilience.</summary>
internal sealed class InvoiceClient(HttpClient http)
{
    public async Task<Receipt> SendAsync(Invoice invoice, CancellationToken cancellationToken)
    {
        using var response = await http.PostAsJsonAsync("invoices", invoice, InvoiceJson.Default.Invoice, cancellationToken);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync(InvoiceJson.Default.Receipt, cancellationToken)
            ?? throw new HttpRequestException("The response has no receipt.");
    }
}
