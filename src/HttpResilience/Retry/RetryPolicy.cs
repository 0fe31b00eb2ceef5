using System.Collections.Frozen;

namespace HttpResilience;

/// <summary>An immutable snapshot of <see cref="RetryOptions"/>.</summary>
internal sealed record RetryPolicy
{
    internal required int MaxRetryAttempts { get; init; }

    internal required BackoffPolicy Backoff { get; init; }

    internal required bool ShouldRetryAfterHeader { get; init; }

    internal required TimeSpan MaxRetryAfter { get; init; }

    internal required UnsafeMethods UnsafeMethods { get; init; }

    /// <summary>Null for all.</summary>
    internal required FrozenSet<string>? Methods { get; init; }

    /// <summary>Methods that are idempotent besides those of <see cref="HttpMethods"/>; null for none.</summary>
    internal required FrozenSet<string>? IdempotentMethods { get; init; }

    internal required RetryBudgetPolicy? Budget { get; init; }

    internal required int MaxReplayBodyBytes { get; init; }

    internal required long MaxReplayBytesInFlight { get; init; }

    internal required bool IncludeResponseBody { get; init; }

    internal required FrozenDictionary<int, RetryStatusPolicy> Statuses { get; init; }

    /// <summary>Whether requests with a method may be sent more than once.</summary>
    internal bool Repeats(HttpMethod method) => Methods is null || Methods.Contains(method.Method);

    /// <summary>Whether the effect of several identical requests with a method is that of one.</summary>
    internal bool IsIdempotent(HttpMethod method) => method.IsIdempotent || IdempotentMethods?.Contains(method.Method) is true;

    internal static RetryPolicy From(RetryOptions options, long frequency) => new()
    {
        MaxRetryAttempts = options.MaxRetryAttempts,
        Backoff = BackoffPolicy.From(options),
        ShouldRetryAfterHeader = options.ShouldRetryAfterHeader,
        MaxRetryAfter = options.MaxRetryAfter,
        UnsafeMethods = options.UnsafeMethods,
        Methods = options.Methods?.ToFrozenSet(StringComparer.OrdinalIgnoreCase),
        IdempotentMethods = options.IdempotentMethods.Count > 0
            ? options.IdempotentMethods.ToFrozenSet(StringComparer.OrdinalIgnoreCase) : null,
        Budget = RetryBudgetPolicy.From(options.Budget, frequency),
        MaxReplayBodyBytes = options.MaxReplayBodyBytes,
        MaxReplayBytesInFlight = options.MaxReplayBytesInFlight,
        IncludeResponseBody = options.IncludeResponseBody,
        Statuses = options.Statuses.ToFrozenDictionary(s => s.Key, s => RetryStatusPolicy.From(s.Value, options)),
    };
}

/// <summary>An immutable snapshot of <see cref="RetryStatusOptions"/>.</summary>
internal sealed record RetryStatusPolicy(int? MaxRetryAttempts, BackoffPolicy Backoff, FailureClass? FailureClass)
{
    internal static RetryStatusPolicy From(RetryStatusOptions status, RetryOptions options)
    {
        var backoff = BackoffPolicy.From(options);
        var delay = (status.Delay ?? backoff.Delay) * status.DelayMultiplier;
        return new(status.MaxRetryAttempts, backoff with { Delay = delay }, status.FailureClass);
    }
}
