using System.Globalization;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Updates the fallback cache from responses: stores a good response while the caller reads it, and removes cached responses that have
/// become obsolete. A failure to do so does not reach the caller, whose response is complete.
/// </summary>
internal sealed partial class FallbackRecorder(Client client, DurableFallbackCache? durable, ILogger<FallbackHandler> logger)
{
    private readonly FallbackCache _cache = FallbackCache.Of(client);
    private readonly TimeProvider _time = client.Time;

    /// <summary>Stores a good response when it has been read; any other conclusive response removes the stored one.</summary>
    internal void Learn(FallbackPolicy policy, FallbackCacheKey key, HttpCall call, HttpResponseMessage response)
    {
        try
        {
            if (key.VariantAsSent() is { } variant)
                Update(policy, key, variant, call, response);
        }
        catch (Exception e)
        {
            NotLearned(logger, e, client.Name);
        }
    }

    /// <summary>Removes the responses that a successful unsafe call makes obsolete.</summary>
    internal void Invalidate(Uri uri, HttpResponseMessage response)
    {
        try
        {
            foreach (string resource in Invalidated(uri, response).Select(RequestFields.ResourceOf).Distinct())
            {
                _cache.Invalidate(resource, _time.GetTimestamp());
                durable?.Remove(client.Name, resource, variant: null);
            }
        }
        catch (Exception e)
        {
            NotLearned(logger, e, client.Name);
        }
    }

    private void Update(FallbackPolicy policy, FallbackCacheKey key, string variant, HttpCall call, HttpResponseMessage response)
    {
        var (now, receivedAt) = (_time.GetTimestamp(), _time.GetUtcNow());
        List<KeyValuePair<string, string>> headers = [.. ResponseCopy.HeadersOf(response, call.Policy.Logging.Redaction)];
        var fields = new ResponseFields(headers);
        var freshness = Freshness.Of(fields, receivedAt, _time.GetElapsedTime(key.SentAt, now));
        var usableFor = freshness.Lifetime + Freshness.StaleFor(policy.StaleIfError, fields.CacheControl, default) - freshness.InitialAge;
        bool mayBeKept = call.StopReason is StopReason.Succeeded && FallbackRules.MayBeKept((int)response.StatusCode, fields, key.Asked);
        if (!mayBeKept || usableFor <= TimeSpan.Zero)
        {
            _cache.Remove(key.Resource, variant);
            durable?.Remove(client.Name, key.Resource, variant);
            return;
        }

        if (key.Method == HttpMethod.Head && response.Content.Headers.ContentLength is { } length)
            headers.Add(new("Content-Length", length.ToString(CultureInfo.InvariantCulture)));
        bool isEmpty = key.Method == HttpMethod.Head || (int)response.StatusCode == 204;
        string? reason = ResponseCopy.ReasonOf(response, call.Policy.Logging.Redaction);
        var expiresAt = Freshness.EndOf(receivedAt, usableFor);
        RecordedContent.Record(response, isEmpty, policy.MaxBodyBytes, body =>
        {
            try
            {
                var copy = new RememberedResponse((int)response.StatusCode, reason, headers, body);
                Store(policy, key, new(new(key.Resource, variant, receivedAt, freshness.InitialAge, expiresAt, copy), now));
            }
            catch (Exception e)
            {
                NotLearned(logger, e, client.Name);
            }
        });
    }

    private void Store(FallbackPolicy policy, FallbackCacheKey key, CachedResponse kept)
    {
        bool isStored = durable is null
            || (_cache.Find(kept.Stored.Resource, kept.Stored.Variant) is { } before && kept.IsStoredBy(before, _time));
        if (_cache.Put(kept, key.SentAt, policy.MaxBytes) && !isStored)
            durable!.Save(client.Name, kept.Stored, policy.MaxBytes);
    }

    // RFC 9111 §4.4: a response must not invalidate the responses of another host.
    private static IEnumerable<Uri> Invalidated(Uri uri, HttpResponseMessage response)
    {
        yield return uri;
        foreach (var target in (Uri?[])[response.Headers.Location, response.Content.Headers.ContentLocation])
        {
            if (target is not null && Uri.TryCreate(uri, target, out var absolute)
                && new HttpAuthority(absolute).Equals(new HttpAuthority(uri)))
                yield return absolute;
        }
    }

    [LoggerMessage(533, LogLevel.Debug, "{ClientName}: a response could not be cached for the fallback; its caller has it")]
    private static partial void NotLearned(ILogger logger, Exception exception, string clientName);
}
