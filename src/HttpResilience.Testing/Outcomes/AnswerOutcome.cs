using Microsoft.AspNetCore.Http;

namespace HttpResilience.Testing;

/// <summary>A response message, which a server copies to the wire.</summary>
internal sealed class AnswerOutcome(Func<SentRequest, TimeProvider, HttpResponseMessage> respond) : Outcome
{
    internal override ValueTask<HttpResponseMessage> RespondAsync(SentRequest request, Stage stage, CancellationToken cancellationToken) =>
        new(respond(request, stage.Time));

    internal override async Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time)
    {
        using var response = respond(request, time);
        await Answers.WriteAsync(response, context).ConfigureAwait(false);
    }
}
