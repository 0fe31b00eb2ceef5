using System.Runtime.CompilerServices;
using Polly;
using Polly.Hedging;

namespace HttpResilience;

/// <summary>Polly's hedging, which asks <see cref="HedgedAttempt"/> before each further request.</summary>
internal static class HedgingPipeline
{
    // One for each policy, as a reload brings a new policy.
    private static readonly ConditionalWeakTable<HedgingPolicy, ResiliencePipeline<HedgedTry>> Pipelines = [];

    // Polly gives the token of a request to later ones when the time is that of the system, while a response may still use it.
    private static readonly TimeProvider Unpooled = new SystemTime();

    internal static ResiliencePipeline<HedgedTry> Of(HedgingPolicy policy, TimeProvider time) =>
        Pipelines.TryGetValue(policy, out var pipeline) ? pipeline : Pipelines.GetValue(policy, p => Build(p, time));

    // The result is the request itself, failed or not, so that Polly neither throws nor disposes anything.
    private static ResiliencePipeline<HedgedTry> Build(HedgingPolicy policy, TimeProvider time)
    {
        var builder = new ResiliencePipelineBuilder<HedgedTry> { TimeProvider = time == TimeProvider.System ? Unpooled : time };
        return builder.AddHedging(new HedgingStrategyOptions<HedgedTry>
        {
            MaxHedgedAttempts = policy.MaxHedgedAttempts,
            // An infinite delay waits for the requests in flight.
            DelayGenerator = args => new(
                HedgedAttempt.Of(args.Context) is { MayGoOn: true } attempt ? attempt.Delay(policy) : Timeout.InfiniteTimeSpan),
            ActionGenerator = args => HedgedAttempt.Of(args.PrimaryContext).GoOn(time.GetTimestamp())
                ? () => args.Callback(args.ActionContext) : null,
            ShouldHandle = static args => new(args.Outcome.Result is not { HasWon: true }),
        }).Build();
    }

    private sealed class SystemTime : TimeProvider;
}
