namespace HttpResilience.Benchmarks;

/// <summary>A client whose calls are measured.</summary>
internal enum CostPeer
{
    /// <summary>A factory client without a handler.</summary>
    Bare,

    /// <summary><c>AddResilientHttpClient</c>.</summary>
    Ours,

    /// <summary>One handler around a pipeline of Polly.Core.</summary>
    Polly,

    /// <summary><c>AddStandardResilienceHandler</c>.</summary>
    Microsoft,

    /// <summary><c>HttpRetryHandler</c> of Refit.</summary>
    Refit,
}
