using System.Net;
using System.Net.Sockets;

namespace HttpResilience.Tests;

/// <summary>What the scripted server does with one attempt.</summary>
internal delegate Task<HttpResponseMessage> Reply(ManualTimeProvider clock, bool async, CancellationToken cancellationToken);

internal static class Replies
{
    public static Reply Status(int status, params (string Name, string Value)[] headers) => With(() => Response(status, null, headers));

    public static Reply Status(int status, string body, string mediaType = "text/plain") =>
        With(() => Response(status, new StringContent(body, null, mediaType)));

    public static Reply Content(int status, Func<HttpContent> content) => With(() => Response(status, content()));

    public static Reply With(Func<HttpResponseMessage> response) => (_, _, _) => Task.FromResult(response());

    public static Reply Throws(Func<Exception> exception) => (_, _, _) => Task.FromException<HttpResponseMessage>(exception());

    public static Reply ConnectionRefused() => Throws(() =>
        new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused", new SocketException((int)SocketError.ConnectionRefused)));

    public static Reply Reset() => Throws(() =>
        new HttpRequestException("An error occurred while sending the request.", new IOException("Reset", new SocketException((int)SocketError.ConnectionReset))));

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
