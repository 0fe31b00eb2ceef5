namespace HttpResilience.Peers;

/// <summary>The settings of a client, which mean the same to every peer.</summary>
internal sealed record PeerSettings
{
    /// <summary>The settings that each package has when nothing is configured.</summary>
    internal static PeerSettings BuiltIn { get; } = new() { IsDefault = true };

    internal bool IsDefault { get; private init; }

    internal TimeSpan Total { get; init; } = TimeSpan.FromSeconds(100);

    internal TimeSpan Attempt { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The timeout that a typed client's constructor sets on its <see cref="HttpClient"/>; null for none.</summary>
    internal TimeSpan? OfConstructor { get; init; }

    internal int Retries { get; init; } = 3;

    internal TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>The failures that open the circuit; null for no circuit.</summary>
    internal int? FailuresToOpen { get; init; }

    internal TimeSpan Break { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The API takes idempotency keys: ours makes them, and Refit's may repeat POSTs.</summary>
    internal bool MakesKeys { get; init; }

    /// <summary>POSTs are repeated without a key; only Microsoft's has a setting for that.</summary>
    internal bool RepeatsUnsafe { get; init; } = true;

    /// <summary>A retry budget as built in; only ours has one.</summary>
    internal bool HasBudget { get; init; }

    /// <summary>The state is kept for each host; ours always does.</summary>
    internal bool ByAuthority { get; init; }

    /// <summary>The hosts whose state is kept; only ours has a limit.</summary>
    internal int MaxHosts { get; init; } = 10_000;
}
