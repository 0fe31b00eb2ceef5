namespace HttpResilience.Simulation;

/// <summary>One payment: one call to one of the APIs.</summary>
internal sealed class Payment(int number, int api, TimeSpan arrivedAt)
{
    internal static readonly HttpRequestOptionsKey<Payment> Key = new("payment");

    internal int Number => number;

    internal int Api => api;

    internal TimeSpan ArrivedAt => arrivedAt;

    /// <summary>The number of requests sent for the payment.</summary>
    internal int Requests { get; private set; }

    /// <summary>Log lines at Information and above that its call wrote.</summary>
    internal int LogLines { get; set; }

    /// <summary>Its first request was one that an API never answers although it answers all others.</summary>
    internal bool IsFirstLost { get; set; }

    /// <summary>A random number that depends on the payment and its nth request only, so that it is equal for every client.</summary>
    internal Luck NextLuck(int seed) => new(((ulong)seed << 48) + ((ulong)number << 8) + (ulong)Requests++);
}
