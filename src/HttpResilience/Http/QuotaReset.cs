namespace HttpResilience;

/// <summary>When an exhausted quota is reset.</summary>
/// <param name="Wait">The time until then.</param>
/// <param name="IsOfPartition">It is the quota of a partition (<c>pk</c>), such as one customer, not that of all callers.</param>
internal readonly record struct QuotaReset(TimeSpan Wait, bool IsOfPartition)
{
    /// <summary>The reset of both quotas.</summary>
    internal static QuotaReset? Join(QuotaReset? a, QuotaReset? b)
    {
        if (a is not { } first || b is not { } second)
            return a ?? b;
        return new(first.Wait > second.Wait ? first.Wait : second.Wait, first.IsOfPartition && second.IsOfPartition);
    }
}
