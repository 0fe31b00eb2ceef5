using Polly;

namespace HttpResilience.Tests.Polly;

/// <summary>Remembers what it was given of each execution, and lets it pass.</summary>
internal sealed class RecordingStrategy(Action<ResilienceContext> record) : ResilienceStrategy<HttpResponseMessage>
{
    protected override ValueTask<Outcome<HttpResponseMessage>> ExecuteCore<TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<HttpResponseMessage>>> callback, ResilienceContext context, TState state)
    {
        record(context);
        return callback(context, state);
    }
}
