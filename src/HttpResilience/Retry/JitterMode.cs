namespace HttpResilience;

/// <summary>How waits are spread, so that clients that failed together do not come back together.</summary>
public enum JitterMode
{
    /// <summary>The decorrelated exponential jitter that Polly uses ("V2"): smooth, no clusters. Exponential backoff only.</summary>
    Decorrelated,

    /// <summary>The delay times a factor in [1 − <c>Factor</c>, 1 + <c>Factor</c>].</summary>
    Proportional,

    /// <summary>Uniform in [0, delay] ("full jitter", AWS Architecture Blog, Exponential Backoff And Jitter).</summary>
    Full,

    /// <summary>The delay plus uniform [0, <c>Maximum</c>].</summary>
    Additive,

    /// <summary>None.</summary>
    None,
}
