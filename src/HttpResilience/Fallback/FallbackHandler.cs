using System.Runtime.CompilerServices;

namespace HttpResilience;

/// <summary>
/// Answers a read that the API cannot answer just now with the last good response to the same request, marked stale. <see cref="FallbackRules"/> decide. Whose
/// response it is, is told by the request as it was sent (<see cref="WireRequestCapture"/>).
/// </summary>
internal sealed class FallbackHandler(ClientState client, FallbackArchive? archive, ResilienceMeter meter) : ChainHandler
{
    private readonly FallbackCache _cache = FallbackCache.Of(client);
    private readonly TimeProvider _time = client.Time;

    protected override ValueTask<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        if (call.Policy.Fallback is not { } policy || request.RequestUri is not { IsAbsoluteUri: true })
            return NextAsync(request, call, async, cancellationToken);
        if (FallbackRules.IsRead(request.Method) && FallbackCacheKey.IsPlain(request))
            return SendOrAnswerAsync(policy, request, call, async, cancellationToken);
        return FallbackRules.IsSafe(request.Method) ? NextAsync(request, call, async, cancellationToken) : SendAndForgetAsync(request, call, async, cancellationToken);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<HttpResponseMessage> SendOrAnswerAsync(
        FallbackPolicy policy, HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var question = new FallbackCacheKey(policy, request, call);
        if (archive is not null)
            call.DeadlineReserve = FallbackArchive.ReserveOf(call.Policy);
        HttpResponseMessage response;
        try
        {
            response = await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && FallbackRules.AllowsStale(status: null, call.FailureClass))
        {
            if (await FindAsync(policy, question, call, async, cancellationToken).ConfigureAwait(false) is not { } kept)
                throw;
            return Answer(kept, request, call, status: null, e);
        }

        int status = (int)response.StatusCode;
        if (FallbackRules.Supersedes(call.FailureClass))
            Learn(policy, question, call, response);
        else if (FallbackRules.AllowsStale(status, call.FailureClass) && !cancellationToken.IsCancellationRequested
            && await FindAsync(policy, question, call, async, cancellationToken).ConfigureAwait(false) is { } kept)
        {
            response.Dispose();
            return Answer(kept, request, call, status, exception: null);
        }

        return response;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<HttpResponseMessage> SendAndForgetAsync(HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var (method, uri) = (request.Method, request.RequestUri!);
        var response = await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
        if (FallbackRules.Invalidates(method, (int)response.StatusCode, call.FailureClass))
        {
            foreach (string resource in Touched(uri, response).Select(RequestFields.ResourceOf).Distinct())
            {
                _cache.Invalidate(resource, _time.GetTimestamp());
                archive?.Remove(client.Name, resource, variant: null);
            }
        }

        return response;
    }

    // RFC 9111 §4.4: another host's responses are not this one's to take away.
    private static IEnumerable<Uri> Touched(Uri uri, HttpResponseMessage response)
    {
        yield return uri;
        foreach (var target in (Uri?[])[response.Headers.Location, response.Content.Headers.ContentLocation])
        {
            if (target is not null && Uri.TryCreate(uri, target, out var absolute) && new HttpAuthority(absolute).Equals(new HttpAuthority(uri)))
                yield return absolute;
        }
    }

    /// <summary>Keeps a good response; another that holds for good ends the use of what was kept before.</summary>
    private void Learn(FallbackPolicy policy, FallbackCacheKey question, HttpCall call, HttpResponseMessage response)
    {
        if (question.VariantAsSent() is not { } variant)
            return;

        var (now, receivedAt) = (_time.GetTimestamp(), _time.GetUtcNow());
        List<KeyValuePair<string, string>> headers = [.. ResponseCopy.HeadersOf(response, call.Policy.Logging.Redaction)];
        var fields = new ResponseFields(headers);
        var freshness = Freshness.Of(fields, receivedAt, _time.GetElapsedTime(question.SentAt, now));
        var usableFor = freshness.Lifetime + Freshness.StaleFor(policy.StaleIfError, fields.CacheControl, default) - freshness.InitialAge;
        if (call.StopReason is not StopReason.Succeeded || !FallbackRules.MayBeKept((int)response.StatusCode, fields, question.Asked) || usableFor <= TimeSpan.Zero)
        {
            _cache.Remove(question.Resource, variant);
            archive?.Remove(client.Name, question.Resource, variant);
            return;
        }

        if (question.Method == HttpMethod.Head && response.Content.Headers.ContentLength is { } length)
            headers.Add(new("Content-Length", length.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        bool isEmpty = question.Method == HttpMethod.Head || (int)response.StatusCode == 204;
        RecordedContent.Record(response, isEmpty, policy.MaxBodyBytes, body =>
        {
            var kept = new CachedResponse(
                new(question.Resource, variant, receivedAt, freshness.InitialAge, receivedAt + usableFor, new((int)response.StatusCode, response.ReasonPhrase, headers, body)), now);
            bool isArchived = archive is null || _cache.Find(question.Resource, variant) is { } before && kept.IsArchivedBy(before, _time);
            if (_cache.Put(kept, question.SentAt, policy.MaxBytes) && !isArchived)
                archive!.Save(client.Name, kept.Stored, policy.MaxBytes);
        });
    }

    private async ValueTask<CachedResponse?> FindAsync(FallbackPolicy policy, FallbackCacheKey question, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        // Nothing was sent: what handlers inside would have added nobody knows, and a response to a request with more on it is not found.
        string variant = question.VariantAsSent() ?? question.VariantAsGiven();
        var kept = _cache.Find(question.Resource, variant);
        if (kept is null && archive is not null
            && await archive.FindAsync(client, call, question.Resource, variant, async, cancellationToken).ConfigureAwait(false) is { } stored
            && CachedResponse.From(stored, _time) is var archived && _cache.Put(archived, archived.ReceivedAt, policy.MaxBytes))
            kept = archived;
        return kept is not null && IsAnswer(policy, question, kept) ? kept : null;
    }

    private bool IsAnswer(FallbackPolicy policy, FallbackCacheKey question, CachedResponse kept)
    {
        var said = kept.Fields.CacheControl;
        var lifetime = Freshness.Of(kept.Fields, kept.Stored.ReceivedAt, TimeSpan.Zero).Lifetime;
        return FallbackRules.Answers(kept.AgeAt(_time.GetTimestamp(), _time), lifetime, Freshness.StaleFor(policy.StaleIfError, said, question.Asked), question.Asked);
    }

    private HttpResponseMessage Answer(CachedResponse kept, HttpRequestMessage request, HttpCall call, int? status, Exception? exception)
    {
        call.IsStale = true;
        call.Masked = (status, exception);
        call.Error = call.Policy.Logging.Redaction.Scrub(exception?.Message ?? $"The API answered {status}.", request);
        meter.FellBack(call, request.RequestUri);
        var response = ResponseCopy.ToResponse(kept.Stored.Response, request);
        response.Headers.Age = TimeSpan.FromSeconds(Math.Min(Math.Floor(kept.AgeAt(_time.GetTimestamp(), _time).TotalSeconds), int.MaxValue));
        return response;
    }
}
