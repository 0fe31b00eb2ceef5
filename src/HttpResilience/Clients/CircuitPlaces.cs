namespace HttpResilience;

/// <summary>The places of the calls that wait for the circuits of a host.</summary>
internal sealed class CircuitPlaces
{
    private int _taken;

    internal int Taken => Volatile.Read(ref _taken);

    internal bool TryTake(int most)
    {
        int taken = Taken;
        while (taken < most)
        {
            int seen = Interlocked.CompareExchange(ref _taken, taken + 1, taken);
            if (seen == taken)
                return true;
            taken = seen;
        }

        return false;
    }

    internal void Free() => Interlocked.Decrement(ref _taken);
}
