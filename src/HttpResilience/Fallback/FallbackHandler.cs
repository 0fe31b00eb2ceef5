using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Answers a failed read with the last good response to the same request, marked stale. <see cref="FallbackRules"/> decide. The cache key
/// is taken from the request as it was sent (<see cref="WireRequestCapture"/>).
/// </summary>
internal sealed class FallbackHandler(
    Client client, DurableFallbackCache? durable, ResilienceMeter meter, ILogger<FallbackHandler> logger) : ChainHandler
{
    private readonly FallbackCache _cache = FallbackCache.Of(client);
    private readonly FallbackRecorder _recorder = new(client, durable, logger);
    private readonly TimeProvider _time = client.Time;

    protected override ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        if (!call.Policy.ClientHasFallback || request.RequestUri is not { IsAbsoluteUri: true })
            return NextAsync(request, call, async, cancellationToken);
        if (call.Policy.Fallback is { } policy && FallbackCacheKey.AppliesTo(request))
            return SendOrAnswerAsync(policy, request, call, async, cancellationToken);
        // Also of another route: the responses are those of the client.
        return FallbackRules.MayInvalidate(request.Method) ? SendAndInvalidateAsync(request, call, async, cancellationToken)
            : NextAsync(request, call, async, cancellationToken);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<HttpResponseMessage> SendOrAnswerAsync(
        FallbackPolicy policy, HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var key = new FallbackCacheKey(policy, request, call, outer: this);
        if (!await key.ReadBodyAsync(client, request, async, cancellationToken).ConfigureAwait(false))
            return await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
        if (durable is not null)
            call.DeadlineReserve = DurableFallbackCache.ReserveOf(call.Policy);
        call.SetAlternative(async (isAsync, cancel) =>
            await FindAsync(policy, key, call, isAsync, cancel).ConfigureAwait(false) is not null);
        HttpResponseMessage response;
        try
        {
            response = await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && FallbackRules.AllowsStale(status: null, call.FailureClass))
        {
            if (await FindAsync(policy, key, call, async, cancellationToken).ConfigureAwait(false) is not { } kept)
                throw;
            return Answer(kept, request, call, status: null, e);
        }

        int status = (int)response.StatusCode;
        if (FallbackRules.Supersedes(call.FailureClass))
            _recorder.Learn(policy, key, call, response);
        else if (FallbackRules.AllowsStale(status, call.FailureClass) && !cancellationToken.IsCancellationRequested
            && await FindAsync(policy, key, call, async, cancellationToken).ConfigureAwait(false) is { } kept)
        {
            response.Dispose();
            return Answer(kept, request, call, status, exception: null);
        }

        return response;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<HttpResponseMessage> SendAndInvalidateAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var (method, uri) = (request.Method, request.RequestUri!);
        var response = await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
        if (FallbackRules.Invalidates(method, (int)response.StatusCode, call.FailureClass))
            _recorder.Invalidate(uri, response);

        return response;
    }

    private async ValueTask<CachedResponse?> FindAsync(
        FallbackPolicy policy, FallbackCacheKey key, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        // When nothing was sent, header fields of inner handlers are missing from the key: a response to a request with them is not found.
        string variant = key.VariantAsSent() ?? key.VariantAsGiven();
        var kept = _cache.Find(key.Resource, variant);
        if (kept is null && durable is not null
            && await durable.FindAsync(client, call, key.Resource, variant, async, cancellationToken).ConfigureAwait(false) is { } stored
            && CachedResponse.From(stored, _time) is var found && _cache.Put(found, found.ReceivedAt, policy.MaxBytes))
            kept = found;
        return kept is not null && IsAnswer(policy, key, kept) ? kept : null;
    }

    private bool IsAnswer(FallbackPolicy policy, FallbackCacheKey key, CachedResponse kept)
    {
        var cacheControl = kept.Fields.CacheControl;
        var lifetime = Freshness.Of(kept.Fields, kept.Stored.ReceivedAt, TimeSpan.Zero).Lifetime;
        var staleFor = Freshness.StaleFor(policy.StaleIfError, cacheControl, key.Asked);
        return FallbackRules.Answers(kept.AgeAt(_time.GetTimestamp(), _time), lifetime, staleFor, key.Asked);
    }

    private HttpResponseMessage Answer(CachedResponse kept, HttpRequestMessage request, HttpCall call, int? status, Exception? exception)
    {
        call.IsStale = true;
        call.Masked = (status, exception);
        var redaction = call.Policy.Logging.Redaction;
        call.Error = exception is null ? redaction.Scrub($"The API answered {status}.", request) : redaction.Scrub(exception, request);
        meter.FellBack(call, request.RequestUri);
        var response = ResponseCopy.ToResponse(kept.Stored.Response, request);
        double age = Math.Floor(kept.AgeAt(_time.GetTimestamp(), _time).TotalSeconds);
        response.Headers.Age = TimeSpan.FromSeconds(Math.Min(age, int.MaxValue));
        return response;
    }
}
