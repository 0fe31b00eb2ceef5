using System.Runtime.CompilerServices;

namespace HttpResilience;

/// <summary>
/// Counts attempts and failures over the sampling duration without a lock. Each of the ten parts is one 64-bit word: the number of the part
/// (24 bits), attempts (20 bits), failures (20 bits); a full part halves both counts, which keeps the ratio.
/// </summary>
internal struct FailureWindow
{
    internal const int Buckets = 10;
    private const int CountBits = 20;
    private const long CountMask = (1L << CountBits) - 1;
    private const long EpochMask = (1L << 24) - 1;

    private Parts _parts;

    /// <returns>Whether it is the first attempt of its part.</returns>
    internal bool Add(bool failed, long now, long bucketLength)
    {
        long epoch = now / bucketLength;
        ref long part = ref _parts[(int)(epoch % Buckets)];
        epoch &= EpochMask;
        long seen = Volatile.Read(ref part);
        while (true)
        {
            (long attempts, long failures) = seen >>> (2 * CountBits) == epoch ? (seen >> CountBits & CountMask, seen & CountMask) : (0, 0);
            if (attempts == CountMask)
                (attempts, failures) = (attempts / 2, failures / 2);
            long next = Pack(epoch, attempts + 1, failures + (failed ? 1 : 0));
            long before = Interlocked.CompareExchange(ref part, next, seen);
            if (before == seen)
                return attempts == 0;
            seen = before;
        }
    }

    /// <summary>The sums over the parts that are not older than the sampling duration.</summary>
    internal readonly (long Attempts, long Failures) Sum(long now, long bucketLength)
    {
        long epoch = now / bucketLength;
        (long attempts, long failures) = (0, 0);
        int index = (int)(epoch % Buckets);
        for (int age = 0; age < Buckets && age <= epoch; age++)
        {
            long part = Volatile.Read(in _parts[index]);
            index = index == 0 ? Buckets - 1 : index - 1;
            if (part >>> (2 * CountBits) != (epoch - age & EpochMask))
                continue;
            attempts += part >> CountBits & CountMask;
            failures += part & CountMask;
        }

        return (attempts, failures);
    }

    /// <summary>
    /// When so many of the failures, the oldest ones, are older than the sampling duration; those of one part as if they were spread over
    /// it. Null when there are not so many.
    /// </summary>
    internal readonly long? FailuresEndAt(long count, long now, long bucketLength)
    {
        long epoch = now / bucketLength, seen = 0;
        for (long age = Math.Min(Buckets - 1, epoch); age >= 0; age--)
        {
            long part = Volatile.Read(in _parts[(int)((epoch - age) % Buckets)]);
            if (part >>> (2 * CountBits) != (epoch - age & EpochMask) || (part & CountMask) is not (> 0 and var failures))
                continue;
            if (seen + failures >= count)
                return (epoch - age + Buckets) * bucketLength + bucketLength * (count - seen) / failures;
            seen += failures;
        }

        return null;
    }

    /// <summary>The average time between attempts, in timestamp ticks; null below a minimum of attempts.</summary>
    /// <param name="since">The timestamp of the first attempt that was counted without a pause of the sampling duration.</param>
    internal readonly long? Pace(long now, long bucketLength, int leastAttempts, long since)
    {
        long epoch = now / bucketLength;
        (long attempts, long oldest) = (0, 0);
        int index = (int)(epoch % Buckets);
        for (int age = 0; age < Buckets && age <= epoch; age++)
        {
            long part = Volatile.Read(in _parts[index]);
            index = index == 0 ? Buckets - 1 : index - 1;
            if (part >>> (2 * CountBits) != (epoch - age & EpochMask))
                continue;
            long count = part >> CountBits & CountMask;
            attempts += count;
            // An empty part looks like the very first.
            oldest = count > 0 ? age : oldest;
        }

        return attempts < leastAttempts ? null : Math.Min(oldest * bucketLength + now % bucketLength, now - since) / attempts;
    }

    internal void Clear() => _parts = default;

    private static long Pack(long epoch, long attempts, long failures) => epoch << (2 * CountBits) | attempts << CountBits | failures;

    [InlineArray(Buckets)]
    private struct Parts
    {
        private long _first;
    }
}
