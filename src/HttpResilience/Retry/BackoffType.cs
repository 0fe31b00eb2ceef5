namespace HttpResilience;

/// <summary>How the wait grows from retry to retry. The values are Polly's.</summary>
public enum BackoffType
{
    /// <summary>The same <c>Delay</c> each time.</summary>
    Constant,

    /// <summary><c>Delay</c> times the number of the retry.</summary>
    Linear,

    /// <summary><c>Delay</c> times <c>BackoffFactor</c> to the power of the retries before.</summary>
    Exponential,
}
