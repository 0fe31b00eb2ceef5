extern alias pollycore;

using pollycore::Polly.CircuitBreaker;
using pollycore::Polly.Hedging;
using pollycore::Polly.Timeout;

namespace HttpResilience.IntegrationTests.Migration.Guide;

/// <summary>Defaults of Polly 8, whose types have names that Polly 7 has too.</summary>
internal static class PollyDefaults
{
    internal static CircuitBreakerStrategyOptions Circuit { get; } = new();

    internal static HedgingStrategyOptions<object> Hedging { get; } = new();

    internal static TimeoutStrategyOptions Timeout { get; } = new();
}
