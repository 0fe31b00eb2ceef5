using System.Buffers;
using System.Numerics;

namespace HttpResilience;

/// <summary>The pooled memory that the records of a client's request bodies hold at the same time.</summary>
internal sealed class ReplayMemory
{
    private const int MinSegment = 1024;
    private const int MaxSegment = 64 * 1024;

    private long _inFlight;

    internal long InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Rents an array for about <paramref name="wanted"/> bytes, at most <see cref="MaxSegment"/>.</summary>
    /// <param name="limit"><c>Retry:MaxReplayBytesInFlight</c>.</param>
    /// <returns>Null when the limit is reached.</returns>
    internal byte[]? TryRent(long wanted, long limit)
    {
        // A power of two, as the pool has them: what is counted is what is held.
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(wanted, MinSegment, MaxSegment));
        if (Interlocked.Add(ref _inFlight, size) <= limit)
            return ArrayPool<byte>.Shared.Rent(size);
        Interlocked.Add(ref _inFlight, -size);
        return null;
    }

    internal void Return(byte[] array)
    {
        Interlocked.Add(ref _inFlight, -array.Length);
        ArrayPool<byte>.Shared.Return(array);
    }
}
