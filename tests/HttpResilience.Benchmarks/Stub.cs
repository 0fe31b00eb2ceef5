using System.Net;

namespace HttpResilience.Benchmarks;

/// <summary>The end of every chain: answers with these statuses in turn, at once or after a real suspension.</summary>
internal sealed class Stub(bool suspends, params HttpStatusCode[] statuses) : HttpMessageHandler
{
    private int _sent;

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        suspends ? RespondLaterAsync() : Task.FromResult(Respond());

    // Goes through the queue of the thread pool, as the completion of a socket does.
    private async Task<HttpResponseMessage> RespondLaterAsync()
    {
        await Task.Yield();
        return Respond();
    }

    private HttpResponseMessage Respond() => new(statuses.Length == 1 ? statuses[0] : statuses[_sent++ % statuses.Length]);
}
