namespace HttpResilience;

/// <summary>
/// A yes or no that one feature keeps with a call, as one bit: for facts that many calls have, where a <see cref="CallSlot{T}"/> would
/// allocate.
/// </summary>
internal sealed class CallFlag
{
    private static int _count;

    private readonly int _bit = NextBit();

    internal bool IsSet(HttpCall call) => (call.Flags & _bit) != 0;

    internal void Set(HttpCall call, bool value) => call.Flags = value ? call.Flags | _bit : call.Flags & ~_bit;

    /// <summary>The bits of several flags.</summary>
    internal static int Mask(params ReadOnlySpan<CallFlag> flags)
    {
        int mask = 0;
        foreach (var flag in flags)
            mask |= flag._bit;
        return mask;
    }

    private static int NextBit()
    {
        int index = Interlocked.Increment(ref _count) - 1;
        return index < 32 ? 1 << index : throw new InvalidOperationException("All 32 flags of a call are in use.");
    }
}
