namespace InvoiceSender;

/// <summary>How much a comparison sends, and how long the API's outage and stalls last.</summary>
internal sealed record ComparisonSize(int MaxInvoices, TimeSpan Outage, TimeSpan Stall)
{
    public static ComparisonSize Full { get; } = new(int.MaxValue, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(6));

    /// <summary>More than a deck of <see cref="FaultPlan"/>, so that each kind of fault still occurs.</summary>
    public static ComparisonSize Quick { get; } = new(60, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));
}
