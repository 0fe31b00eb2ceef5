using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// The reservation of an idempotency key in the store during a call. A failing store is logged and does not fail the call.
/// </summary>
internal sealed partial class IdempotencyKeyReservation
{
    private static readonly TimeSpan LeaseLength = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(10);

    // A slow disk must not hold up the call for longer.
    private static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(5);

    private readonly Client _client;
    private readonly IIdempotencyStore _store;
    private readonly ResilienceMeter _meter;
    private readonly ILogger _logger;
    private readonly Uri? _uri;
    private readonly string _path;
    private readonly TimeSpan _rememberFor;
    private readonly bool _async;
    private RememberedRequest _request;

    internal IdempotencyKeyReservation(
        Client client, IIdempotencyStore store, ResilienceMeter meter, ILogger logger, HttpRequestMessage request, HttpCall call,
        string fingerprint, TimeSpan rememberFor, bool async)
    {
        (_client, _store, _meter, _logger, _rememberFor, _async) = (client, store, meter, logger, rememberFor, async);
        (Method, _uri, _path) = (request.Method, request.RequestUri, call.Policy.Logging.Redaction.PathOf(request, call));
        _request = new(client.Name, call.IdempotencyKey!, fingerprint, Guid.NewGuid(), default, default);
    }

    internal HttpMethod Method { get; }

    /// <summary>The request with the current time, for the store.</summary>
    internal RememberedRequest Request => At(LeaseLength);

    /// <summary>
    /// Takes the fingerprint of the call that used the key first: a replay is that call again, but its letter leaves out secrets of the
    /// URI.
    /// </summary>
    internal void Adopt(string fingerprint) => _request = _request with { Fingerprint = fingerprint };

    /// <summary>Reserves the key, or returns the call that holds it.</summary>
    /// <returns>Null when the store fails.</returns>
    internal async ValueTask<RememberedCall?> BeginAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await RunAsync<RememberedCall?>(token => _store.BeginAsync(Request, token)!, _async, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The store may have reserved the key, or may still do so.
            _ = UndoAsync();
            throw;
        }
    }

    /// <summary>
    /// Renews the lease until it is disposed. No failure ends it early: the end of the call reports a store that stays unreachable.
    /// </summary>
    internal IAsyncDisposable KeepLease() => new Lease(DateTimeOffset.MaxValue, RenewEvery, _client.Time, RenewAsync, static _ => { });

    /// <summary>Stores the outcome of the call, also when its caller no longer waits.</summary>
    /// <param name="response">Null when it cannot be stored.</param>
    internal async Task EndAsync(ResponseReplayOutcome outcome, RememberedResponse? response)
    {
        bool? isKept = await RunAsync<bool?>(async token => (outcome, response) switch
        {
            (ResponseReplayOutcome.Remember, not null) =>
                await _store.CompleteAsync(_request, response, _client.Time.GetUtcNow() + _rememberFor, token).ConfigureAwait(false),
            (ResponseReplayOutcome.Forget, _) => await _store.ForgetAsync(_request, token).ConfigureAwait(false),
            _ => await GiveUpAsync(token).ConfigureAwait(false),
        }, async: true, CancellationToken.None).ConfigureAwait(false);
        if (isKept is false && outcome is ResponseReplayOutcome.Remember)
            TakenOver(_logger, _client.Name, _request.Key);
    }

    // Nothing was sent: the key is free again, unless it was in doubt before.
    private async Task UndoAsync()
    {
        var timer = StartTimer(async: true, CancellationToken.None);
        try
        {
            var known = await _store.BeginAsync(Request, timer.Token).WaitAsync(timer.Token).ConfigureAwait(false);
            if (known.Owner == _request.Owner && known.Response is null)
            {
                _ = known.IsInDoubt
                    ? await GiveUpAsync(timer.Token).ConfigureAwait(false)
                    : await _store.ForgetAsync(_request, timer.Token).ConfigureAwait(false);
            }
        }
        catch (Exception)
        {
            // The lease expires.
        }
        finally
        {
            _client.Timers.Return(timer);
        }
    }

    private async Task<bool> RenewAsync()
    {
        var timer = StartTimer(async: true, CancellationToken.None);
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
        var timer = StartTimer(async, cancellationToken);
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
            string authority = _uri is { IsAbsoluteUri: true } uri ? new HttpAuthority(uri).ToString() : "";
            Forgotten(_logger, e, _client.Name, Method.Method, authority, _path, _request.Key);
            return default;
        }
        finally
        {
            _client.Timers.Return(timer);
        }
    }

    private AttemptTimer StartTimer(bool async, CancellationToken cancellationToken)
    {
        var timer = _client.Timers.Rent(async, cancellationToken);
        long now = _client.Time.GetTimestamp();
        timer.Start(now, now + _client.Time.ToTicks(StoreTimeout));
        return timer;
    }

    [LoggerMessage(521, LogLevel.Critical,
        "{ClientName} {Method} {Authority}{Path}: the outcome of the call with key {IdempotencyKey} could not be stored; a repeated call "
        + "may be sent again. Check the store")]
    private static partial void Forgotten(
        ILogger logger, Exception exception, string clientName, string method, string authority, string path, string idempotencyKey);

    [LoggerMessage(526, LogLevel.Warning,
        "{ClientName}: the response to the call with key {IdempotencyKey} was not stored; its lease of 30 s expired and another call has "
        + "taken over the key")]
    private static partial void TakenOver(ILogger logger, string clientName, string idempotencyKey);
}
