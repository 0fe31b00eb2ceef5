using System.Globalization;
using System.Net;
using HttpResilience;

namespace InvoiceSender;

internal enum InvoiceResult { Accepted, BadData, Failed }

/// <summary>How sending one invoice ended: with a receipt or with a failure; with neither when there was nothing to send.</summary>
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
        /// <summary>The bare client knows the status only from what it throws.</summary>
        public int? HttpStatus => failure.StatusCode ?? (int?)(failure.Exception as HttpRequestException)?.StatusCode;

        /// <summary>The status, or what went wrong instead.</summary>
        public string Status => failure.HttpStatus?.ToString(CultureInfo.InvariantCulture) ?? failure.ErrorType ?? failure.FailureClass.ToString();
    }
}
