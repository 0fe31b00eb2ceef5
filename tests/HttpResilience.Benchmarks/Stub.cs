using System.Net;

namespace HttpResilience.Benchmarks;

/// <summary>
/// The primary handler of every client: answers with these statuses in turn, synchronously or after the call has suspended.
/// </summary>
internal sealed class Stub(bool suspends, params HttpStatusCode[] statuses) : HttpMessageHandler
{
    [ThreadStatic]
    private static TaskCompletionSource? _arrival;

    private int _sent;

    /// <summary>Completes the response that a call of this thread awaits; the continuation runs synchronously on this thread.</summary>
    /// <remarks>Each frame of the call suspends and resumes without the noise of the thread pool.</remarks>
    /// <returns>False when no call is waiting.</returns>
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
        // SocketsHttpHandler also suspends while it waits for a response.
        using var registration = cancellationToken.UnsafeRegister(static _ => { }, null);
        await (_arrival = new TaskCompletionSource()).Task;
        return Respond();
    }

    private HttpResponseMessage Respond() => new(statuses.Length == 1 ? statuses[0] : statuses[_sent++ % statuses.Length]);
}
