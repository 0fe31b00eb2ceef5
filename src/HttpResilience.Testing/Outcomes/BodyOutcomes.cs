using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace HttpResilience.Testing;

internal sealed class HalfBodyOutcome(int status, string begin) : Outcome
{
    private const int Missing = 1000;

    private readonly byte[] _begin = Encoding.UTF8.GetBytes(begin);

    internal override ValueTask<HttpResponseMessage> RespondAsync(SentRequest request, Stage stage, CancellationToken cancellationToken)
    {
        var body = new BrokenStream(_begin, (_, _) => throw Failures.BodyEnded());
        return new(Message(status, body, _begin.Length + Missing));
    }

    internal override Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time)
    {
        string head = $"HTTP/1.1 {status} {ReasonPhrases.GetReasonPhrase(status)}\r\nContent-Type: text/plain; "
            + $"charset=utf-8\r\nContent-Length: {_begin.Length + Missing}\r\n\r\n";
        return Wire.SendAsync(context, (byte[])[.. Encoding.Latin1.GetBytes(head), .. _begin], RawEnd.Close);
    }

    internal static HttpResponseMessage Message(int status, Stream body, long? length)
    {
        var content = new StreamContent(body);
        content.Headers.ContentType = new("text/plain", "utf-8");
        content.Headers.ContentLength = length;
        return new((HttpStatusCode)status) { Content = content };
    }
}

internal sealed class StalledBodyOutcome(int status, string begin) : Outcome
{
    private readonly byte[] _begin = Encoding.UTF8.GetBytes(begin);

    internal override ValueTask<HttpResponseMessage> RespondAsync(SentRequest request, Stage stage, CancellationToken cancellationToken)
    {
        var body = new BrokenStream(
            _begin, async (async, token) => throw await (stage with { Async = async }).UntilGivenUpAsync(token).ConfigureAwait(false));
        return new(HalfBodyOutcome.Message(status, body, length: null));
    }

    internal override async Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.Body.WriteAsync(_begin, context.RequestAborted).ConfigureAwait(false);
        await context.Response.Body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
        await Wire.UntilGivenUpAsync(context).ConfigureAwait(false);
    }
}
