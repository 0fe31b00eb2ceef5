using System.Net;

namespace HttpResilience.Simulation;

/// <summary>What a host does with a request.</summary>
/// <param name="Status">Null: it never answers.</param>
/// <param name="After">How long the answer takes.</param>
/// <param name="RetryAfter">What it asks for in <c>Retry-After</c>.</param>
internal readonly record struct Answer(HttpStatusCode? Status, TimeSpan After, TimeSpan? RetryAfter = null);

/// <summary>Stands where the wire would begin, and answers by virtual time.</summary>
internal sealed class SimulatedHost(VirtualTime time, Func<HttpRequestMessage, Answer> decide) : HttpMessageHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new Exchange(time, request, decide(request), cancellationToken).Task;
    }

    /// <summary>One request on its way. What waits for it runs on at once, on the simulation's thread.</summary>
    private sealed class Exchange : TaskCompletionSource<HttpResponseMessage>
    {
        private readonly HttpRequestMessage _request;
        private readonly Answer _answer;
        private readonly CancellationTokenRegistration _registration;
        private readonly ITimer? _timer;

        internal Exchange(VirtualTime time, HttpRequestMessage request, Answer answer, CancellationToken cancellationToken)
        {
            (_request, _answer) = (request, answer);
            _registration = cancellationToken.UnsafeRegister(static (exchange, token) => ((Exchange)exchange!).GiveUp(token), this);
            if (answer.Status is not null)
                _timer = time.CreateTimer(static exchange => ((Exchange)exchange!).Respond(), this, answer.After, Timeout.InfiniteTimeSpan);
        }

        private void Respond()
        {
            _registration.Dispose();
            var response = new HttpResponseMessage(_answer.Status!.Value) { RequestMessage = _request };
            if (_answer.RetryAfter is { } wait)
                response.Headers.RetryAfter = new(wait);
            SetResult(response);
        }

        private void GiveUp(CancellationToken token)
        {
            _timer?.Dispose();
            TrySetCanceled(token);
        }
    }
}
