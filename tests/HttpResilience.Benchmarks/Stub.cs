using System.Net;

namespace HttpResilience.Benchmarks;

/// <summary>The end of every chain: answers with these statuses in turn, at once or when the call is already waiting.</summary>
internal sealed class Stub(bool suspends, params HttpStatusCode[] statuses) : HttpMessageHandler
{
    [ThreadStatic]
    private static TaskCompletionSource? _arrival;

    private int _sent;

    /// <summary>Lets the response that a call on this thread waits for arrive; what waits for it runs on at once, on this thread.</summary>
    /// <remarks>So each frame of the call really suspends and resumes, and no thread pool adds its noise.</remarks>
    /// <returns>False when no call waits.</returns>
    internal static bool LetArrive()
    {
        var arrival = Interlocked.Exchange(ref _arrival, null);
        arrival?.SetResult();
        return arrival is not null;
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        suspends ? RespondLaterAsync(cancellationToken) : Task.FromResult(Respond());

    private async Task<HttpResponseMessage> RespondLaterAsync(CancellationToken cancellationToken)
    {
        // As SocketsHttpHandler does while it waits for a response.
        using var registration = cancellationToken.UnsafeRegister(static _ => { }, null);
        await (_arrival = new TaskCompletionSource()).Task;
        return Respond();
    }

    private HttpResponseMessage Respond() => new(statuses.Length == 1 ? statuses[0] : statuses[_sent++ % statuses.Length]);
}
