namespace InvoiceSender;

/// <summary>What can go wrong with one request.</summary>
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
}
