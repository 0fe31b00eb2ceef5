namespace InvoiceSender;

/// <summary>A total outage of some seconds that begins once half of the invoices have been seen.</summary>
internal sealed class Outage(int expectedInvoices, TimeProvider time)
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(3);

    private readonly int _beginsAt = Math.Max(1, expectedInvoices / 2);
    private long _begun;

    public bool IsOngoing(int invoicesSeen)
    {
        if (invoicesSeen < _beginsAt) return false;

        var now = time.GetTimestamp();
        var begun = Interlocked.CompareExchange(ref _begun, now, 0);
        return begun == 0 || time.GetElapsedTime(begun, now) < Duration;
    }
}
