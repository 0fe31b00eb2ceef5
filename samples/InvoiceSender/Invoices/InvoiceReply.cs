using System.Net;

namespace InvoiceSender;

/// <summary>What the API answered to one invoice, after how many attempts.</summary>
internal sealed record InvoiceReply(HttpStatusCode StatusCode, string? Reason, int Attempts)
{
    public bool IsAccepted => (int)StatusCode is >= 200 and < 300;
    public bool IsBadData => StatusCode is HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest;
}
