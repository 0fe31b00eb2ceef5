namespace HttpResilience.Benchmarks;

/// <summary>What one call costs: CPU time, and bytes that it allocates or keeps.</summary>
internal readonly record struct Cost(double Nanoseconds, double Bytes)
{
    public static Cost operator -(Cost cost, Cost other) => new(cost.Nanoseconds - other.Nanoseconds, cost.Bytes - other.Bytes);

    internal static Cost Median(IEnumerable<Cost> rounds)
    {
        Cost[] costs = [.. rounds];
        return new(Median(costs.Select(c => c.Nanoseconds)), Median(costs.Select(c => c.Bytes)));
    }

    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>CPU time and allocated bytes of this thread per call.</summary>
    internal static Cost OfThread(int calls, Action work)
    {
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        long began = CpuClock.Now;
        work();
        long spent = CpuClock.Now - began;
        return new((double)spent / calls, (double)(GC.GetAllocatedBytesForCurrentThread() - bytes) / calls);
    }
}
