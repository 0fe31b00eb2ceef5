using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>What the store remembers of one keyed call while it is under way. What a store that fails has not kept is told.</summary>
internal sealed partial class CallMemory
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(10);

    // Longer, and calls hang because of a disk.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly ClientState _client;
    private readonly IIdempotencyStore _store;
    private readonly ILogger _logger;
    private readonly Uri? _uri;
    private readonly string _path;
    private readonly TimeSpan _rememberFor;
    private readonly bool _async;
    private readonly RememberedRequest _request;

    internal CallMemory(
        ClientState client, IIdempotencyStore store, ILogger logger, HttpRequestMessage request, HttpCall call, string fingerprint, TimeSpan rememberFor, bool async)
    {
        (_client, _store, _logger, _rememberFor, _async) = (client, store, logger, rememberFor, async);
        (Method, _uri, _path) = (request.Method, request.RequestUri, call.Policy.Logging.Redaction.PathOf(request, call));
        _request = new(client.Name, call.IdempotencyKey!, fingerprint, Guid.NewGuid(), default, default);
    }

    internal HttpMethod Method { get; }

    /// <summary>The request as the store is told of it now.</summary>
    internal RememberedRequest Request => At(Lease);

    /// <summary>Asks for the call.</summary>
    /// <returns>Null when the store cannot tell.</returns>
    internal ValueTask<RememberedCall?> BeginAsync(CancellationToken cancellationToken) =>
        RunAsync<RememberedCall?>(token => _store.BeginAsync(Request, token)!, cancellationToken);

    /// <summary>Keeps the call the caller's own until it is disposed.</summary>
    internal IAsyncDisposable KeepLease() => new Renewal(this);

    /// <summary>Writes down what has become of the call. Whoever made it has its answer already: that it has left meanwhile changes nothing.</summary>
    /// <param name="response">Null when it cannot be remembered.</param>
    internal async ValueTask EndAsync(ResponseReplayOutcome outcome, RememberedResponse? response) =>
        await RunAsync(token => (outcome, response) switch
        {
            (ResponseReplayOutcome.Remember, not null) => _store.CompleteAsync(_request, response, _client.Time.GetUtcNow() + _rememberFor, token),
            (ResponseReplayOutcome.Forget, _) => _store.ForgetAsync(_request, token),
            _ => GiveUpAsync(token),
        }, CancellationToken.None).ConfigureAwait(false);

    private async Task RenewAsync()
    {
        var timer = StartTimer(CancellationToken.None);
        try
        {
            await _store.BeginAsync(Request, timer.Token).WaitAsync(timer.Token).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // There is time for another try, and the end of the call tells if the store is gone for good.
        }
        finally
        {
            _client.Timers.Return(timer);
        }
    }

    private async Task<bool> GiveUpAsync(CancellationToken cancellationToken) =>
        (await _store.BeginAsync(At(TimeSpan.Zero), cancellationToken).ConfigureAwait(false)).Owner == _request.Owner;

    private RememberedRequest At(TimeSpan lease)
    {
        var now = _client.Time.GetUtcNow();
        return _request with { Now = now, LeaseUntil = now + lease, ExpiresAt = now + (_rememberFor > lease ? _rememberFor : lease) };
    }

    private async ValueTask<T?> RunAsync<T>(Func<CancellationToken, Task<T>> step, CancellationToken cancellationToken)
    {
        var timer = StartTimer(cancellationToken);
        try
        {
            var task = step(timer.Token).WaitAsync(timer.Token);
            return _async ? await task.ConfigureAwait(false) : task.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new TaskCanceledException("The call was cancelled by its caller.", null, cancellationToken);
        }
        catch (Exception e)
        {
            _client.Meter.Forgotten(_client.Name, _uri);
            Forgotten(_logger, e, _client.Name, Method.Method, _uri is { IsAbsoluteUri: true } uri ? new HttpAuthority(uri).ToString() : "", _path, _request.Key);
            return default;
        }
        finally
        {
            _client.Timers.Return(timer);
        }
    }

    private AttemptTimer StartTimer(CancellationToken cancellationToken)
    {
        var timer = _client.Timers.Rent(cancellationToken);
        long now = _client.Time.GetTimestamp();
        timer.Start(now, now + Patience.Ticks * _client.Time.TimestampFrequency / TimeSpan.TicksPerSecond);
        return timer;
    }

    [LoggerMessage(521, LogLevel.Critical, "{ClientName} {Method} {Authority}{Path}: what becomes of the call with key {IdempotencyKey} could not be remembered; the same call again may be sent again")]
    private static partial void Forgotten(ILogger logger, Exception exception, string clientName, string method, string authority, string path, string idempotencyKey);

    /// <summary>Renews the lease of a call that takes long.</summary>
    private sealed class Renewal : IAsyncDisposable
    {
        private readonly CallMemory _memory;
        private readonly ITimer _timer;
        private Task _renewing = Task.CompletedTask;

        internal Renewal(CallMemory memory)
        {
            _memory = memory;
            _timer = memory._client.Time.CreateTimer(static renewal => ((Renewal)renewal!).Renew(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(RenewEvery, RenewEvery);
        }

        // A renewal is not given up half-way when the call ends: it would come back to a key that has been forgotten since.
        public async ValueTask DisposeAsync()
        {
            await _timer.DisposeAsync().ConfigureAwait(false);
            if (_memory._async)
                await _renewing.ConfigureAwait(false);
            else
                _renewing.GetAwaiter().GetResult();
        }

        private void Renew()
        {
            if (_renewing.IsCompleted)
                _renewing = _memory.RenewAsync();
        }
    }
}
