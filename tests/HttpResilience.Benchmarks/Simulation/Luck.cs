namespace HttpResilience.Simulation;

/// <summary>Random numbers in [0, 1) that depend on the key alone (SplitMix64).</summary>
internal struct Luck(ulong key)
{
    private ulong _state = key * 0x9E3779B97F4A7C15;

    internal double Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
