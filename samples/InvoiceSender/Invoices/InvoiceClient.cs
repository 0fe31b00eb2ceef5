using HttpResilience;

namespace InvoiceSender;

/// <summary>An ordinary typed client: nothing in it knows whether it was registered with resilience or without.</summary>
internal sealed class InvoiceClient(HttpClient http)
{
    public async Task<InvoiceReply> SendAsync(Invoice invoice, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "invoices") { Content = JsonContent.Create(invoice, InvoiceJson.Default.Invoice) }
            .WithIdempotencyKey(invoice.IdempotencyKey)
            .WithTag("rowNumber", invoice.Row);

        using var response = await http.SendAsync(request, cancellationToken);
        return new(response.StatusCode, await ReadReasonAsync(response, cancellationToken), response.GetHttpCall()?.Attempts.Count ?? 1);
    }

    private static async Task<string?> ReadReasonAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode) return null;
        if (response.Content.Headers.ContentType?.MediaType is not Problem.ContentType) return response.ReasonPhrase;

        return (await response.Content.ReadFromJsonAsync(InvoiceJson.Default.Problem, cancellationToken))?.ToString();
    }
}
