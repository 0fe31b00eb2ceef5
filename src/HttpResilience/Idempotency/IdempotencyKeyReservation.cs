using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>What the store remembers of one keyed call while it is under way. What a store that fails has not kept is told.</summary>
internal sealed partial class IdempotencyKeyReservation
{
    private static readonly TimeSpan LeaseLength = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(10);

    // Longer, and calls hang because of a disk.
    private static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(5);

    private readonly ClientState _client;
    private readonly IIdempotencyStore _store;
    private readonly ResilienceMeter _meter;
    private readonly ILogger _logger;
    private readonly Uri? _uri;
    private readonly string _path;
    private readonly TimeSpan _rememberFor;
    private readonly bool _async;
    private readonly RememberedRequest _request;

    internal IdempotencyKeyReservation(
        ClientState client, IIdempotencyStore store, ResilienceMeter meter, ILogger logger, HttpRequestMessage request, HttpCall call, string fingerprint, TimeSpan rememberFor, bool async)
    {
        (_client, _store, _meter, _logger, _rememberFor, _async) = (client, store, meter, logger, rememberFor, async);
        (Method, _uri, _path) = (request.Method, request.RequestUri, call.Policy.Logging.Redaction.PathOf(request, call));
        _request = new(client.Name, call.IdempotencyKey!, fingerprint, Guid.NewGuid(), default, default);
    }

    internal HttpMethod Method { get; }

    /// <summary>The request as the store is told of it now.</summary>
    internal RememberedRequest Request => At(LeaseLength);

    /// <summary>Asks for the call.</summary>
    /// <returns>Null when the store cannot tell.</returns>
    internal async ValueTask<RememberedCall?> BeginAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await RunAsync<RememberedCall?>(token => _store.BeginAsync(Request, token)!, _async, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The store may have begun it, or be about to.
            _ = UndoAsync();
            throw;
        }
    }

    /// <summary>Renews the lease until it is disposed. No failure ends it early: the end of the call reports a store that stays unreachable.</summary>
    internal IAsyncDisposable KeepLease() => new Lease(DateTimeOffset.MaxValue, RenewEvery, _client.Time, RenewAsync, static _ => { });

    /// <summary>Writes down what has become of the call. Whoever made it has its answer already: that it has left meanwhile changes nothing.</summary>
    /// <param name="response">Null when it cannot be remembered.</param>
    internal async Task EndAsync(ResponseReplayOutcome outcome, RememberedResponse? response)
    {
        bool? isKept = await RunAsync<bool?>(async token => (outcome, response) switch
        {
            (ResponseReplayOutcome.Remember, not null) => await _store.CompleteAsync(_request, response, _client.Time.GetUtcNow() + _rememberFor, token).ConfigureAwait(false),
            (ResponseReplayOutcome.Forget, _) => await _store.ForgetAsync(_request, token).ConfigureAwait(false),
            _ => await GiveUpAsync(token).ConfigureAwait(false),
        }, async: true, CancellationToken.None).ConfigureAwait(false);
        if (isKept is false && outcome is ResponseReplayOutcome.Remember)
            TakenOver(_logger, _client.Name, _request.Key);
    }

    // Nothing has been sent: the key is free again, unless it was in doubt before.
    private async Task UndoAsync()
    {
        var timer = StartTimer(CancellationToken.None);
        try
        {
            var known = await _store.BeginAsync(Request, timer.Token).WaitAsync(timer.Token).ConfigureAwait(false);
            if (known.Owner == _request.Owner && known.Response is null)
                _ = known.IsInDoubt ? await GiveUpAsync(timer.Token).ConfigureAwait(false) : await _store.ForgetAsync(_request, timer.Token).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The lease ends by itself.
        }
        finally
        {
            _client.Timers.Return(timer);
        }
    }

    private async Task<bool> RenewAsync()
    {
        var timer = StartTimer(CancellationToken.None);
        try
        {
            await _store.BeginAsync(Request, timer.Token).WaitAsync(timer.Token).ConfigureAwait(false);
            return true;
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

    private async ValueTask<T?> RunAsync<T>(Func<CancellationToken, Task<T>> step, bool async, CancellationToken cancellationToken)
    {
        var timer = StartTimer(cancellationToken);
        try
        {
            var task = step(timer.Token).WaitAsync(timer.Token);
            return async ? await task.ConfigureAwait(false) : task.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new TaskCanceledException("The call was cancelled by its caller.", null, cancellationToken);
        }
        catch (Exception e)
        {
            _meter.Forgotten(_client.Name, _uri);
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
        timer.Start(now, now + _client.Time.ToTicks(StoreTimeout));
        return timer;
    }

    [LoggerMessage(521, LogLevel.Critical, "{ClientName} {Method} {Authority}{Path}: what becomes of the call with key {IdempotencyKey} could not be remembered; the same call again may be sent again. Check the store")]
    private static partial void Forgotten(ILogger logger, Exception exception, string clientName, string method, string authority, string path, string idempotencyKey);

    [LoggerMessage(526, LogLevel.Warning, "{ClientName}: the response to the call with key {IdempotencyKey} could not be remembered, as the key was taken over: nothing had been heard of the call for 30 s")]
    private static partial void TakenOver(ILogger logger, string clientName, string idempotencyKey);
}
