namespace HttpResilience.Simulation;

/// <summary>One payment, which is one call to one of the APIs.</summary>
internal sealed class Payment(int number, int api, TimeSpan arrivedAt)
{
    internal static readonly HttpRequestOptionsKey<Payment> Key = new("payment");

    internal int Api => api;

    internal TimeSpan ArrivedAt => arrivedAt;

    /// <summary>How often it was sent.</summary>
    private int _sent;

    /// <summary>Luck belongs to a payment and its nth request, so that it is the same for every client. (SplitMix64.)</summary>
    internal PaymentLuck NextLuck(int seed) => new(((ulong)seed << 48) + ((ulong)number << 8) + (ulong)_sent++);
}

/// <summary>Random numbers in [0, 1) that depend on the key alone.</summary>
internal struct PaymentLuck(ulong key)
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
