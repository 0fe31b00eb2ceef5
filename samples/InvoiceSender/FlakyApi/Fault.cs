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

    /// <summary>429 until the bad day is over: no number of retries helps.</summary>
    ReceiverIsFull,
}
