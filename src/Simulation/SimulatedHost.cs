using System.Net;

namespace HttpResilience.Simulation;

/// <summary>The response of a simulated host to a request.</summary>
/// <param name="Status">Null: the host never answers.</param>
/// <param name="After">The latency of the response.</param>
/// <param name="RetryAfter">The value of <c>Retry-After</c>.</param>
internal readonly record struct Answer(HttpStatusCode? Status, TimeSpan After, TimeSpan? RetryAfter = null);

/// <summary>The primary handler of a simulated client; it answers in virtual time.</summary>
internal sealed class SimulatedHost(VirtualTime time, Func<HttpRequestMessage, Answer> decide) : HttpMessageHandler
{
    /// <summary>Requests that were neither answered nor cancelled.</summary>
    internal int InFlight { get; private set; }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new Exchange(this, time, request, decide(request), cancellationToken).Task;
    }

    /// <summary>One request in flight; its continuation runs synchronously on the simulation's thread.</summary>
    private sealed class Exchange : TaskCompletionSource<HttpResponseMessage>
    {
        private readonly SimulatedHost _host;
        private readonly HttpRequestMessage _request;
        private readonly Answer _answer;
        private readonly CancellationTokenRegistration _registration;
        private readonly ITimer? _timer;

        internal Exchange(
            SimulatedHost host, VirtualTime time, HttpRequestMessage request, Answer answer, CancellationToken cancellationToken)
        {
            (_host, _request, _answer) = (host, request, answer);
            _host.InFlight++;
            _registration = cancellationToken.UnsafeRegister(static (exchange, token) => ((Exchange)exchange!).GiveUp(token), this);
            if (answer.Status is not null)
                _timer = time.CreateTimer(static exchange => ((Exchange)exchange!).Respond(), this, answer.After, Timeout.InfiniteTimeSpan);
        }

        private void Respond()
        {
            _host.InFlight--;
            _registration.Dispose();
            var response = new HttpResponseMessage(_answer.Status!.Value) { RequestMessage = _request };
            if (_answer.RetryAfter is { } wait)
                response.Headers.RetryAfter = new(wait);
            SetResult(response);
        }

        private void GiveUp(CancellationToken token)
        {
            _host.InFlight--;
            _timer?.Dispose();
            TrySetCanceled(token);
        }
    }
}
