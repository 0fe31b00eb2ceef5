namespace HttpResilience;

/// <summary>
/// Runs what the application does itself between two attempts, within the time that an attempt would have. What fails there is not the failure of the attempt:
/// it is told with both.
/// </summary>
internal static class UserHooks
{
    /// <summary>Asks whether the request has been processed after all.</summary>
    /// <returns>What answers the call; null when the request is to be sent again.</returns>
    internal static async ValueTask<HttpResponseMessage?> FindAsync(
        ClientState client, HttpRequestMessage request, HttpCall call, long deadline, bool async, CancellationToken cancellationToken)
    {
        var reconciler = client.Supplied.Reconciler!;
        var found = await RunAsync(client, token => reconciler.FindAsync(call, request, token), call, StopReason.UnsafeMethod,
            "The request may have been processed, and the search for what it made failed; it was not sent again.", deadline, async, cancellationToken).ConfigureAwait(false);
        if (found is null)
            return null;

        call.Stop(StopReason.Reconciled, FailureClass.None);
        // Whatever request has brought it: it answers this one.
        found.RequestMessage = request;
        return found;
    }

    /// <summary>Has the request brought up to date, with a key and a body that can be sent as often as need be.</summary>
    /// <returns>False when that cannot be done.</returns>
    internal static async ValueTask<bool> ResolveAsync(
        ClientState client, HttpRequestMessage request, HttpResponseMessage conflict, HttpCall call, long deadline, bool async, CancellationToken cancellationToken)
    {
        var resolver = client.Supplied.ConflictResolver!;
        if (!await RunAsync(client, token => resolver.ResolveAsync(call, request, conflict, token), call, StopReason.NotRetryable,
            "The request did not fit the state of the resource, and resolving the conflict failed; it was not sent again.", deadline, async, cancellationToken).ConfigureAwait(false))
        {
            call.Stop(StopReason.NotRetryable, FailureClass.Conflict);
            return false;
        }

        // For what fails from here on.
        call.Stop(StopReason.NotRetryable, FailureClass.Conflict);
        call.BodyIsKept = false;
        await IdempotencyKeyHandler.RenewKeyAsync(request, call, async, cancellationToken).ConfigureAwait(false);
        call.BodyIsKept = call.BodyIsKept || RequestBody.IsReplayable(request.Content)
            || await RequestBody.TryKeepAsync(request.Content!, call.Policy.Retry.MaxReplayBodyBytes, async, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private static async ValueTask<T> RunAsync<T>(
        ClientState client, Func<CancellationToken, ValueTask<T>> step, HttpCall call, StopReason stopReason, string failed, long deadline, bool async,
        CancellationToken cancellationToken)
    {
        long now = client.Time.GetTimestamp();
        var timer = client.Timers.Rent(cancellationToken);
        try
        {
            timer.Start(now, call.Policy.AttemptEndFrom(now, deadline));
            var token = timer.Token;
            // The application's code may want to go on in the context of the very thread that waits for it here.
            return async ? await step(token).ConfigureAwait(false) : Task.Run(() => step(token).AsTask(), CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            call.Stop(StopReason.Cancelled, FailureClass.Cancelled);
            throw new TaskCanceledException("The call was cancelled by its caller.", null, cancellationToken);
        }
        catch (Exception e)
        {
            // None yet when a dead letter is looked for before it is sent.
            var last = call.LastAttempt;
            call.Stop(stopReason, last?.FailureClass ?? FailureClass.Transient);
            throw new HttpRequestException(failed, e, last?.StatusCode);
        }
        finally
        {
            client.Timers.Return(timer);
        }
    }
}
