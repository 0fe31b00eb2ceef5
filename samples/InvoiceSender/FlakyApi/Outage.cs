namespace InvoiceSender;

/// <summary>A total outage that begins once half of the invoices have been seen.</summary>
internal sealed class Outage(int expectedInvoices, TimeSpan duration, TimeProvider time)
{
    private readonly int _startsAt = Math.Max(1, expectedInvoices / 2);
    private long _startedAt;

    public bool IsOngoing(int invoicesSeen)
    {
        if (invoicesSeen < _startsAt) return false;

        var now = time.GetTimestamp();
        var startedAt = Interlocked.CompareExchange(ref _startedAt, now, 0);
        return startedAt == 0 || time.GetElapsedTime(startedAt, now) < duration;
    }
}
