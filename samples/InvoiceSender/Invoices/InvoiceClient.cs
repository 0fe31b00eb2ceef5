namespace InvoiceSender;

/// <summary>An ordinary typed client; it does not know whether it was registered with resilience.</summary>
internal sealed class InvoiceClient(HttpClient http)
{
    /// <param name="idempotencyKey">Null: the application sets none.</param>
    public async Task<Receipt> SendAsync(Invoice invoice, string? idempotencyKey, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "invoices")
        {
            Content = JsonContent.Create(invoice, InvoiceJson.Default.Invoice),
        };
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        using var response = await http.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync(InvoiceJson.Default.Receipt, cancellationToken)
            ?? throw new HttpRequestException("The response has no receipt.");
    }
}
