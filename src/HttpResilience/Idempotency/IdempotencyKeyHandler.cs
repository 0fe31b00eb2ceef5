namespace HttpResilience;

/// <summary>Gives a call one idempotency key before its first attempt, if its method needs one. A key set by the caller stays.</summary>
internal sealed class IdempotencyKeyHandler(Client client) : ChainHandler
{
    protected override bool PassesEndOn => true;

    protected override ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        // The request of a dead letter carries its own key already.
        if (call.Policy.Idempotency is not { } policy || call.IdempotencyKey is not null)
            return NextAsync(request, call, async, cancellationToken);

        if (request.MayHaveHeaders && request.Headers.NonValidated.TryGetValues(policy.HeaderName, out var values))
        {
            call.IdempotencyKey = IdempotencyKey.FromHeader(values.ToString(), policy.Quoted);
        }
        else if (call.KeyOfRequest is { } key)
        {
            SetKey(request, call, policy, key);
        }
        else if (policy.AppliesTo(request.Method))
        {
            string? keyOfScope = call.TakeKeyOfScope();
            // Only these two cases read the body, which can be asynchronous.
            if (keyOfScope is not null || policy.KeySource is KeySource.Content)
            {
                call.LeavesItsEnd = false;
                return SendAsIdentifiedAsync(request, call, policy, keyOfScope, async, cancellationToken);
            }
            MakeKey(request, call, policy, IdempotencyKey.Create());
        }

        return NextAsync(request, call, async, cancellationToken);
    }

    /// <summary>After a change of the request, a key made by the chain is replaced: the request is another operation.</summary>
    internal static async ValueTask RenewKeyAsync(
        Client client, HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        if (call.Policy.Idempotency is not { } policy)
            return;

        string? key = request.Headers.NonValidated.TryGetValues(call.Replay?.KeyHeaderName ?? policy.HeaderName, out var values)
            ? IdempotencyKey.FromHeader(values.ToString(), policy.Quoted) : null;
        // After an attempt that may have been processed the key stays: the server would process the request again under another one.
        bool isOurs = call.KeyIsMade && (key is null || key == call.IdempotencyKey);
        if (isOurs && key is not null && call.MayHaveBeenProcessed)
            return;

        if (!isOurs)
        {
            (call.IdempotencyKey, call.KeyIsMade) = (key, false);
            return;
        }

        request.Headers.Remove(policy.HeaderName);
        if (policy.KeySource is KeySource.Random)
            MakeKey(request, call, policy, IdempotencyKey.Create());
        else
        {
            var fingerprint = await FingerprintAsync(client, request, call, required: true, async, cancellationToken).ConfigureAwait(false);
            MakeKey(request, call, policy, fingerprint.ToKey());
        }
    }

    private async ValueTask<HttpResponseMessage> SendAsIdentifiedAsync(
        HttpRequestMessage request, HttpCall call, IdempotencyPolicy policy, string? keyOfScope, bool async,
        CancellationToken cancellationToken)
    {
        if (keyOfScope is not null)
            SetKey(request, call, policy, keyOfScope);

        var fingerprint = await FingerprintAsync(client, request, call, required: keyOfScope is null, async, cancellationToken)
            .ConfigureAwait(false);
        if (keyOfScope is not null)
            ThrowIfReused(call.ScopeOfKey!, keyOfScope, fingerprint);
        else
            MakeKey(request, call, policy, fingerprint.ToKey());

        return await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The fingerprint of the request.</summary>
    /// <param name="required">Whether it must include the body.</param>
    internal static async ValueTask<RequestFingerprint> FingerprintAsync(
        Client client, HttpRequestMessage request, HttpCall call, bool required, bool async, CancellationToken cancellationToken)
    {
        int maxBytes = call.Policy.Retry.MaxReplayBodyBytes;
        byte[]? body = await DigestAsync(client, request.Content, call, async, cancellationToken).ConfigureAwait(false);
        return body is not null || !required
            ? call.Fingerprint = new(request.Method, call.Replay?.Uri ?? request.RequestUri, call.Tenant, body)
            : throw new InvalidOperationException(NoKey(call.ClientName, maxBytes));
    }

    /// <summary>The digest of the body, read before anything is sent, within the deadline of the call.</summary>
    /// <returns>Null when the body can be written only once and is too long.</returns>
    internal static ValueTask<byte[]?> DigestAsync(
        Client client, HttpContent? content, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        if (RequestBody.IsInMemory(content))
            return new(BodyDigest.Of(content));
        bool isOver = cancellationToken.IsCancellationRequested || client.Time.GetTimestamp() >= call.Deadline;
        if (isOver || !RequestBody.IsAtHand(content))
            return ReadDigestAsync(client, content!, begun: null, call, async, cancellationToken);
        var digest = BodyDigest.ReadAsync(content!, cancellationToken);
        return digest.IsCompletedSuccessfully ? digest
            : ReadDigestAsync(client, content!, digest.AsTask(), call, async, cancellationToken);
    }

    // A body that may block is read on another thread: code of the application may have to continue on the one that waits here.
    private static async ValueTask<byte[]?> ReadDigestAsync(
        Client client, HttpContent content, Task<byte[]?>? begun, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        long deadline = call.Deadline;
        using var timeout = deadline == long.MaxValue ? new()
            : new CancellationTokenSource(client.Time.TimeUntil(deadline) is { Ticks: > 0 } left ? left : TimeSpan.Zero, client.Time);
        using var cancelled = cancellationToken.UnsafeRegister(
            static source => ((CancellationTokenSource)source!).Cancel(), timeout);
        var token = timeout.Token;
        var digest = begun ?? Task.Run(() => BodyDigest.ReadAsync(content, token).AsTask(), CancellationToken.None);
        try
        {
            await RequestBody.WaitAsync(digest, async, token).ConfigureAwait(false);
            return digest.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException e) when (client.Time.GetTimestamp() >= deadline)
        {
            call.Stop(StopReason.DeadlinePassed, FailureClass.Transient);
            string message = $"The call was cancelled because {ClientDeadline.NameOf(call)} of client '{client.Name}' has passed while "
                + "its body was read; nothing was sent.";
            throw new TaskCanceledException(message, new TimeoutException(message, e));
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new TaskCanceledException("The call was cancelled by its caller.", e, cancellationToken);
        }
    }

    private static void MakeKey(HttpRequestMessage request, HttpCall call, IdempotencyPolicy policy, string key)
    {
        SetKey(request, call, policy, key);
        call.KeyIsMade = true;
    }

    private static void SetKey(HttpRequestMessage request, HttpCall call, IdempotencyPolicy policy, string key)
    {
        IdempotencyKey.Validate(key);
        request.Headers.TryAddWithoutValidation(policy.HeaderName, policy.Quoted ? IdempotencyKey.Quote(key) : key);
        call.IdempotencyKey = key;
    }

    private static void ThrowIfReused(HttpCallScope scope, string key, RequestFingerprint fingerprint)
    {
        if (scope.FirstUnderKey(fingerprint).DifferenceFrom(fingerprint) is { } difference)
            throw new IdempotencyKeyReusedException(key, difference);
    }

    private static string NoKey(string clientName, int maxBytes) =>
        $"Client '{clientName}' makes idempotency keys from content (Idempotency:KeySource), but the body of the request can be read only "
        + $"once and is longer than Retry:MaxReplayBodyBytes ({maxBytes}); nothing was sent. "
        + "Give the request a key of its own (WithIdempotencyKey) or a stream that can seek, or raise the limit.";
}
