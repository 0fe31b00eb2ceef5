using System.Net;

namespace HttpResilience.Tests.RateLimiting;

/// <summary>A server that answers when the test says so.</summary>
internal sealed class HeldServer : HttpMessageHandler
{
    private readonly Lock _gate = new();
    private readonly List<(HttpRequestMessage Request, TaskCompletionSource<HttpResponseMessage> Answer)> _held = [];
    private readonly SemaphoreSlim _arrived = new(0);

    /// <summary>The paths of all requests, in the order of their arrival.</summary>
    internal List<string> Paths { get; } = [];

    /// <summary>Waits until as many requests have arrived.</summary>
    internal async Task ArrivedAsync(int requests)
    {
        for (int i = 0; i < requests; i++)
            (await _arrived.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBeTrue("no request arrived");
    }

    /// <summary>Answers the oldest request.</summary>
    internal void Answer(int status = 200)
    {
        (HttpRequestMessage Request, TaskCompletionSource<HttpResponseMessage> Answer) oldest;
        lock (_gate)
        {
            oldest = _held[0];
            _held.RemoveAt(0);
        }

        oldest.Answer.SetResult(new((HttpStatusCode)status) { RequestMessage = oldest.Request });
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        cancellationToken.Register(() => answer.TrySetCanceled(cancellationToken));
        lock (_gate)
        {
            Paths.Add(request.RequestUri!.AbsolutePath);
            _held.Add((request, answer));
        }

        _arrived.Release();
        return answer.Task;
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendAsync(request, cancellationToken).GetAwaiter().GetResult();
}
