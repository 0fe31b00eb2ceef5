using Microsoft.AspNetCore.Http;

namespace HttpResilience.Testing;

internal sealed class DelayedOutcome(TimeSpan by, Outcome outcome) : Outcome
{
    internal override bool ReadsBody => outcome.ReadsBody;

    internal override bool CanBeServed => outcome.CanBeServed;

    internal override async ValueTask<HttpResponseMessage> RespondAsync(
        SentRequest request, Stage stage, CancellationToken cancellationToken)
    {
        await stage.WaitAsync(by, cancellationToken).ConfigureAwait(false);
        return await outcome.RespondAsync(request, stage, cancellationToken).ConfigureAwait(false);
    }

    internal override async Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time)
    {
        await Task.Delay(by, time, context.RequestAborted).ConfigureAwait(false);
        await outcome.ServeAsync(request, context, time).ConfigureAwait(false);
    }
}

internal sealed class UnreadOutcome(Outcome outcome) : Outcome
{
    internal override bool ReadsBody => false;

    internal override bool CanBeServed => outcome.CanBeServed;

    internal override ValueTask<HttpResponseMessage> RespondAsync(SentRequest request, Stage stage, CancellationToken cancellationToken) =>
        outcome.RespondAsync(request, stage, cancellationToken);

    internal override Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time) =>
        outcome.ServeAsync(request, context, time);
}

internal sealed class DecideOutcome(Func<SentRequest, CancellationToken, ValueTask<Outcome>> decide) : Outcome
{
    internal override async ValueTask<HttpResponseMessage> RespondAsync(
        SentRequest request, Stage stage, CancellationToken cancellationToken)
    {
        var outcome = await decide(request, cancellationToken).ConfigureAwait(false);
        return await outcome.RespondAsync(request, stage, cancellationToken).ConfigureAwait(false);
    }

    internal override async Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time)
    {
        var outcome = await decide(request, context.RequestAborted).ConfigureAwait(false);
        await outcome.ServeAsync(request, context, time).ConfigureAwait(false);
    }
}
