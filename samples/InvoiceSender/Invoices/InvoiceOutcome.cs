using System.Globalization;
using System.Net;
using HttpResilience;

namespace InvoiceSender;

internal enum InvoiceResult { Accepted, BadData, Failed }

/// <summary>The result for one invoice: a receipt or a failure; neither when the invoice was settled before.</summary>
internal sealed record InvoiceOutcome(Invoice Invoice, Receipt? Receipt, BatchFailure? Failure, TimeSpan Elapsed)
{
    public InvoiceResult Result => Failure is null ? InvoiceResult.Accepted
        : Failure.HttpStatus is (int)HttpStatusCode.BadRequest or (int)HttpStatusCode.UnprocessableEntity ? InvoiceResult.BadData
        : InvoiceResult.Failed;
}

internal static class BatchFailureExtensions
{
    extension(BatchFailure failure)
    {
        /// <summary>The status of the response; for the bare client it is taken from the exception.</summary>
        public int? HttpStatus => failure.StatusCode ?? (int?)(failure.Exception as HttpRequestException)?.StatusCode;

        /// <summary>The status of the response, or the error type when there was no response.</summary>
        public string Status =>
            failure.HttpStatus?.ToString(CultureInfo.InvariantCulture) ?? failure.ErrorType ?? failure.FailureClass.ToString();
    }
}
