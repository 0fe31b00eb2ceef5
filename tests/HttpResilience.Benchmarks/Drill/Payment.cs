namespace HttpResilience.Simulation;

/// <summary>One payment: one call to one of the APIs.</summary>
internal sealed class Payment(int number, int api, TimeSpan arrivedAt)
{
    internal static readonly HttpRequestOptionsKey<Payment> Key = new("payment");

    internal int Api => api;

    internal TimeSpan ArrivedAt => arrivedAt;

    /// <summary>The number of requests sent for the payment.</summary>
    private int _sent;

    /// <summary>A random number that depends on the payment and its nth request only, so that it is equal for every client.</summary>
    internal Luck NextLuck(int seed) => new(((ulong)seed << 48) + ((ulong)number << 8) + (ulong)_sent++);
}
