using Microsoft.AspNetCore.Http;

namespace HttpResilience.Testing;

internal sealed class ResetOutcome : Outcome
{
    internal override ValueTask<HttpResponseMessage> RespondAsync(SentRequest request, Stage stage, CancellationToken cancellationToken) =>
        throw Failures.Reset();

    internal override Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time)
    {
        context.Abort();
        return Task.CompletedTask;
    }
}

/// <summary>Resets for the duration of the outage, which the script measures.</summary>
internal sealed class OutageOutcome(TimeSpan duration) : Outcome
{
    private readonly ResetOutcome _reset = new();

    internal TimeSpan Duration => duration;

    internal override ValueTask<HttpResponseMessage> RespondAsync(SentRequest request, Stage stage, CancellationToken cancellationToken) =>
        _reset.RespondAsync(request, stage, cancellationToken);

    internal override Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time) =>
        _reset.ServeAsync(request, context, time);
}

internal sealed class SilentOutcome : Outcome
{
    internal override async ValueTask<HttpResponseMessage> RespondAsync(
        SentRequest request, Stage stage, CancellationToken cancellationToken) =>
        throw await stage.UntilGivenUpAsync(cancellationToken).ConfigureAwait(false);

    internal override Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time) => Wire.UntilGivenUpAsync(context);
}

internal sealed class HalfHeadOutcome : Outcome
{
    private readonly RawOutcome _half = new("HTTP/1.1 200 OK\r\nContent-Len", RawEnd.Close);

    internal override ValueTask<HttpResponseMessage> RespondAsync(SentRequest request, Stage stage, CancellationToken cancellationToken) =>
        throw Failures.ResponseEnded();

    internal override Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time) =>
        _half.ServeAsync(request, context, time);
}
