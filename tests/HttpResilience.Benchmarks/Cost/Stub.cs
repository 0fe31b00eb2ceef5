using System.Net;

namespace HttpResilience.Benchmarks;

/// <summary>
/// The primary handler of every client: answers with these statuses in turn, synchronously or after the call has suspended.
/// </summary>
internal sealed class Stub(bool suspends, params HttpStatusCode[] statuses) : HttpMessageHandler
{
    [ThreadStatic]
    private static Queue<TaskCompletionSource>? _arrivals;

    private int _sent;

    /// <summary>
    /// Completes the responses that calls of this thread await, in their order, until no call waits; each continuation runs on this thread.
    /// </summary>
    /// <remarks>Each frame of a call suspends and resumes without the noise of the thread pool.</remarks>
    internal static void LetArrive()
    {
        while (_arrivals is { } arrivals && arrivals.TryDequeue(out var arrival))
            arrival.SetResult();
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        suspends ? RespondLaterAsync(cancellationToken) : Task.FromResult(Respond());

    private async Task<HttpResponseMessage> RespondLaterAsync(CancellationToken cancellationToken)
    {
        // SocketsHttpHandler also suspends while it waits for a response.
        using var registration = cancellationToken.UnsafeRegister(static _ => { }, null);
        var arrival = new TaskCompletionSource();
        (_arrivals ??= new()).Enqueue(arrival);
        await arrival.Task;
        return Respond();
    }

    // A response from a server always has a content.
    private HttpResponseMessage Respond() =>
        new(statuses.Length == 1 ? statuses[0] : statuses[_sent++ % statuses.Length]) { Content = new ByteArrayContent([]) };
}

/// <summary>The floor of a rejection: a primary handler that throws.</summary>
internal sealed class ThrowingStub : HttpMessageHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        throw new HttpRequestException("The host is down.");
}
