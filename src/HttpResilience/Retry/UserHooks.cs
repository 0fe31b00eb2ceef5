namespace HttpResilience;

/// <summary>
/// Runs the application's <see cref="IReconciler"/> and <see cref="IConflictResolver"/> between two attempts, within the timeout of an
/// attempt. Their exception reaches the caller with the failure of the attempt.
/// </summary>
internal sealed class UserHooks(Client client, RegisteredExtensions extensions)
{
    /// <summary>
    /// Whether the search comes before the first attempt: an earlier call may have been processed, and the request is not safe to repeat.
    /// </summary>
    internal bool MustReconcileFirst(HttpCall call, HttpMethod method) => call.MayHaveBeenProcessed
        && extensions.Reconciler is not null
        && !RetryDecision.MayBeRepeated(
            call.Policy.Retry, call.Policy.Retry.IsIdempotent(method), keyed: call.IdempotencyKey is not null && call.KeyHolds);

    /// <summary>The response is a conflict that the application can resolve; it needs the body for that.</summary>
    internal bool CanResolve(Attempt attempt) =>
        attempt is { Response: not null, Result.FailureClass: FailureClass.Conflict } && extensions.ConflictResolver is not null;

    /// <summary>Searches for what the request would have made.</summary>
    /// <returns>The response that answers the call; null when the request is sent again.</returns>
    internal async ValueTask<HttpResponseMessage?> FindAsync(
        HttpRequestMessage request, HttpCall call, long deadline, bool async, CancellationToken cancellationToken)
    {
        const string Failed = "The request may have been processed, and the search for what it made failed; it was not sent again.";
        var reconciler = extensions.Reconciler!;
        var found = await RunAsync(
            token => reconciler.FindAsync(call, request, token), call, StopReason.UnsafeMethod, Failed, deadline, async,
            cancellationToken).ConfigureAwait(false);
        if (found is null)
            return null;

        call.Stop(StopReason.Reconciled, FailureClass.None);
        // The response of the search answers this request.
        found.RequestMessage = request;
        return found;
    }

    /// <summary>Updates the request after a conflict, and gives it a new key and a body that can be sent repeatedly.</summary>
    /// <returns>False when the conflict cannot be resolved.</returns>
    internal async ValueTask<bool> ResolveAsync(
        HttpRequestMessage request, HttpResponseMessage conflict, HttpCall call, long deadline, bool async,
        CancellationToken cancellationToken)
    {
        try
        {
            return await UpdateAsync(request, conflict, call, deadline, async, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // The caller gets the exception in place of the response.
            conflict.Dispose();
            throw;
        }
    }

    private async ValueTask<bool> UpdateAsync(
        HttpRequestMessage request, HttpResponseMessage conflict, HttpCall call, long deadline, bool async,
        CancellationToken cancellationToken)
    {
        const string Failed =
            "The request did not fit the state of the resource, and resolving the conflict failed; it was not sent again.";
        var resolver = extensions.ConflictResolver!;
        bool isResolved = await RunAsync(
            token => resolver.ResolveAsync(call, request, conflict, token), call, StopReason.NotRetryable, Failed, deadline, async,
            cancellationToken).ConfigureAwait(false);
        // Also for a failure of what follows.
        call.Stop(StopReason.NotRetryable, FailureClass.Conflict);
        if (!isResolved)
            return false;

        call.RecordBody(request, client, cancellationToken);
        await IdempotencyKeyHandler.RenewKeyAsync(client, request, call, async, cancellationToken).ConfigureAwait(false);
        // The call goes on: it has no reason to stop yet.
        call.Stop(StopReason.None, FailureClass.None);
        return true;
    }

    private async ValueTask<T> RunAsync<T>(
        Func<CancellationToken, ValueTask<T>> hook, HttpCall call, StopReason stopReason, string failed, long deadline,
        bool async, CancellationToken cancellationToken)
    {
        long now = client.Time.GetTimestamp();
        var timer = client.Timers.Rent(async, cancellationToken);
        try
        {
            timer.Start(now, call.Policy.AttemptEndFrom(now, deadline, call.AttemptTimeout));
            var token = timer.Token;
            // On another thread: the application's code may have to continue in the synchronization context of the thread that blocks here.
            return async
                ? await hook(token).ConfigureAwait(false)
                : Task.Run(() => hook(token).AsTask(), CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            call.Stop(StopReason.Cancelled, FailureClass.Cancelled);
            throw new TaskCanceledException("The call was cancelled by its caller.", null, cancellationToken);
        }
        catch (Exception e)
        {
            // Null when the search precedes the first attempt.
            var last = call.LastAttempt;
            call.Stop(stopReason, last?.FailureClass ?? FailureClass.Transient);
            throw new HttpRequestException(failed, e, last?.StatusCode);
        }
        finally
        {
            // The hook has the token, and the response that it found may use it.
            client.Timers.Discard(timer);
        }
    }
}
