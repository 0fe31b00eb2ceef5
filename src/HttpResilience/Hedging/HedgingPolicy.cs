using Polly;
using Polly.Hedging;

namespace HttpResilience;

/// <summary>
/// An immutable snapshot of <see cref="HedgingOptions"/>: Polly's hedging, told by <see cref="HedgedAttempt"/> what to do.
/// </summary>
internal sealed class HedgingPolicy(HedgingOptions options, TimeProvider time)
{
    // The result is the request itself, failed or not, so that Polly neither throws nor disposes anything.
    internal ResiliencePipeline<HedgedTry> Pipeline { get; } = Build(options.Delay, options.MaxHedgedAttempts, time);

    internal static HedgingPolicy? From(HedgingOptions options, TimeProvider time) => options.Enabled ? new(options, time) : null;

    private static ResiliencePipeline<HedgedTry> Build(TimeSpan delay, int maxHedgedAttempts, TimeProvider time) =>
        new ResiliencePipelineBuilder<HedgedTry> { TimeProvider = time }.AddHedging(new HedgingStrategyOptions<HedgedTry>
        {
            MaxHedgedAttempts = maxHedgedAttempts,
            // Without end: those on their way are waited for.
            DelayGenerator = args => new(HedgedAttempt.Of(args.Context).MayGoOn ? delay : Timeout.InfiniteTimeSpan),
            ActionGenerator = args => HedgedAttempt.Of(args.PrimaryContext).GoOn(time.GetTimestamp())
                ? () => args.Callback(args.ActionContext) : null,
            ShouldHandle = static args => new(args.Outcome.Result is not { HasWon: true }),
        }).Build();
}
