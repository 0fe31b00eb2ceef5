namespace HttpResilience.Simulation;

/// <summary>One payment, which is one call to one of the APIs.</summary>
internal sealed class Payment(int number, int api, TimeSpan arrivedAt)
{
    internal static readonly HttpRequestOptionsKey<Payment> Key = new("payment");

    internal int Api => api;

    internal TimeSpan ArrivedAt => arrivedAt;

    /// <summary>How often it was sent.</summary>
    private int _sent;

    /// <summary>Luck belongs to a payment and its nth request, so that it is the same for every client.</summary>
    internal Luck NextLuck(int seed) => new(((ulong)seed << 48) + ((ulong)number << 8) + (ulong)_sent++);
}
