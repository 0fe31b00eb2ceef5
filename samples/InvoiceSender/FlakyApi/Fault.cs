namespace InvoiceSender;

/// <summary>The faults that the flaky API can inject into one request.</summary>
internal enum Fault
{
    None,
    Unavailable,
    UnavailableWithRetryAfter,
    RateLimitedForSeconds,
    RateLimitedUntilDate,
    InternalServerError,
    CutBeforeProcessing,
    CutAfterProcessing,
    StallBeforeProcessing,
    StallAfterProcessing,

    /// <summary>429 on every attempt for as long as faults are injected, so retries do not help.</summary>
    ReceiverQuotaExceeded,
}
