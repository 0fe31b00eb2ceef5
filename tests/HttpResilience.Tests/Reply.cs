using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;

namespace HttpResilience.Tests;

/// <summary>The reply of the scripted server to one attempt.</summary>
internal delegate Task<HttpResponseMessage> Reply(ManualTimeProvider clock, bool async, CancellationToken cancellationToken);

internal static class ScriptedReplies
{
    extension(FaultScript server)
    {
        /// <summary>Replaces the script. The last reply repeats.</summary>
        public void Script(params Reply[] replies) => server.Replace(new ReplyOutcome(replies));
    }

    /// <summary>
    /// Replies that may move the clock themselves. The next one is taken when its request is in the record, so
    /// that a reply is not seen before its request.
    /// </summary>
    private sealed class ReplyOutcome(Reply[] replies) : Outcome
    {
        private int _next = -1;

        internal override ValueTask<HttpResponseMessage> RespondAsync(
            SentRequest request, Testing.Stage stage, CancellationToken cancellationToken)
        {
            var reply = replies[Math.Min(Interlocked.Increment(ref _next), replies.Length - 1)];
            return new(reply((ManualTimeProvider)stage.Time, stage.Async, cancellationToken));
        }

        internal override Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time) => throw new NotSupportedException();
    }
}

internal static class Replies
{
    public static Reply Status(int status, params (string Name, string Value)[] headers) => With(() => Response(status, null, headers));

    public static Reply Status(int status, string body, string mediaType = "text/plain") =>
        With(() => Response(status, new StringContent(body, null, mediaType)));

    public static Reply Content(int status, Func<HttpContent> content) => With(() => Response(status, content()));

    public static Reply With(Func<HttpResponseMessage> response) => (_, _, _) => Task.FromResult(response());

    public static Reply Throws(Func<Exception> exception) => (_, _, _) => Task.FromException<HttpResponseMessage>(exception());

    public static Reply ConnectionRefused() => Throws(() =>
        new HttpRequestException(
            HttpRequestError.ConnectionError, "Connection refused", new SocketException((int)SocketError.ConnectionRefused)));

    public static Reply Reset() => Throws(() =>
        new HttpRequestException("An error occurred while sending the request.",
            new IOException("Reset", new SocketException((int)SocketError.ConnectionReset))));

    /// <summary>Time passes before the reply.</summary>
    public static Reply After(TimeSpan duration, Reply reply) => (clock, async, cancellationToken) =>
    {
        clock.Advance(duration);
        return reply(clock, async, cancellationToken);
    };

    /// <summary>No answer: time passes, from timer to timer, until the attempt is given up.</summary>
    public static Reply Stalls() => (clock, _, cancellationToken) =>
    {
        while (!cancellationToken.IsCancellationRequested)
            clock.AdvanceToNextTimer();
        return Task.FromException<HttpResponseMessage>(new TaskCanceledException("Given up", null, cancellationToken));
    };

    /// <summary>No answer, and the clock stands still: somebody else has to end the attempt.</summary>
    /// <param name="begun">Set when the attempt has come in.</param>
    public static Reply Hangs(TaskCompletionSource? begun = null) => async (_, async, cancellationToken) =>
    {
        begun?.TrySetResult();
        if (async)
            await Task.Delay(Timeout.Infinite, cancellationToken);
        cancellationToken.WaitHandle.WaitOne();
        throw new OperationCanceledException(cancellationToken);
    };

    private static HttpResponseMessage Response(int status, HttpContent? content, params ReadOnlySpan<(string Name, string Value)> headers)
    {
        var response = new HttpResponseMessage((HttpStatusCode)status) { Content = content ?? new ByteArrayContent([]) };
        foreach (var (name, value) in headers)
            response.Headers.TryAddWithoutValidation(name, value);
        return response;
    }
}
