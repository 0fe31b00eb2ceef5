namespace HttpResilience;

/// <summary>An immutable snapshot of the part of <see cref="RetryOptions"/> that says how long to wait.</summary>
internal sealed record BackoffPolicy
{
    internal required BackoffType Type { get; init; }

    internal required TimeSpan Delay { get; init; }

    internal required TimeSpan? MaxDelay { get; init; }

    internal required double Factor { get; init; }

    internal required JitterMode Jitter { get; init; }

    internal required double JitterFactor { get; init; }

    internal required TimeSpan JitterMaximum { get; init; }

    internal static BackoffPolicy From(RetryOptions options) => new()
    {
        Type = options.BackoffType,
        Delay = options.Delay,
        MaxDelay = options.MaxDelay,
        Factor = options.BackoffFactor,
        Jitter = !options.UseJitter ? JitterMode.None
            : options.Jitter.Mode ?? (options.BackoffType is BackoffType.Exponential ? JitterMode.Decorrelated : JitterMode.Proportional),
        JitterFactor = options.Jitter.Factor,
        JitterMaximum = options.Jitter.Maximum,
    };
}
