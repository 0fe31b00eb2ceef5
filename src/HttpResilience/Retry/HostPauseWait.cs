namespace HttpResilience;

/// <summary>
/// Holds a call back while its host is paused by a <c>Retry-After</c> (RFC 9110 §10.2.3) or a quota that is used up, and until the pace of
/// its quotas lets it start. <see cref="HostPause"/> and <see cref="QuotaPaceRules"/> decide.
/// </summary>
internal static class HostPauseWait
{
    /// <summary>An open circuit rejects the call at once, so there is nothing to wait for.</summary>
    internal static bool IsNeeded(HttpCall call, long now) =>
        (call.PauseAt(now) is not null || call.NeedsQuotaTurn) && !call.WouldBeRejectedAt(now, call.Deadline);

    /// <summary>The rejection of a call that the pause of its host outlasts; null when there is none.</summary>
    internal static RateLimitedException? RejectionOf(HttpCall call, HttpMethod method)
    {
        if (call.PauseAt(call.StartedAt) is not { } pause
            || pause.Until < LatestStart(call, method, ClientDeadline.LastAttemptEndOf(call)) || !IsNeeded(call, call.StartedAt))
            return null;
        call.Stop(StopReason.RateLimited, FailureClass.RateLimited);
        return RateLimitedException.ByHost(call.Host!.Key.Authority, call.Time.GetElapsedTime(call.StartedAt, pause.Until));
    }

    /// <summary>Waits until the host may be called again.</summary>
    /// <param name="deadline">The end of the last attempt of the call.</param>
    /// <returns>The timestamp at which the wait ended.</returns>
    /// <exception cref="RateLimitedException">The pause outlasts the call.</exception>
    internal static async ValueTask<long> WaitAsync(
        Client client, HttpCall call, HttpMethod method, long deadline, bool async, CancellationToken cancellationToken)
    {
        long latest = LatestStart(call, method, deadline);
        long now = client.Time.GetTimestamp();
        while (true)
        {
            // A pause of the host may begin during that of the tenant, and the other way round.
            while (call.PauseAt(now) is { } pause)
                now = await WaitForAsync(pause, client, call, latest, async, cancellationToken).ConfigureAwait(false);
            if (!call.NeedsQuotaTurn)
                return now;
            now = await QuotaWait.WaitAsync(client, call, latest, async, cancellationToken).ConfigureAwait(false);
            if (call.PauseAt(now) is null)
                return now;
            call.GiveBackQuotaTurn();
        }
    }

    private static async ValueTask<long> WaitForAsync(
        HostPause pause, Client client, HttpCall call, long latest, bool async, CancellationToken cancellationToken)
    {
        var time = client.Time;
        long arrivedAt = time.GetTimestamp();
        int ahead = pause.Enter();
        try
        {
            for (long now = arrivedAt; ; now = time.GetTimestamp())
            {
                if (pause.AdmitAt(now, arrivedAt, ahead, latest, time.TimestampFrequency, client.Random.NextDouble()) is not { } at)
                {
                    call.Stop(StopReason.RateLimited, FailureClass.RateLimited);
                    throw RateLimitedException.ByHost(call.Host!.Key.Authority, time.GetElapsedTime(now, pause.Until));
                }

                if (at <= now)
                    return now;
                await WaitingCalls.UntilAsync(client, call, at, async, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            pause.Leave();
        }
    }

    // A request that may have been processed must be sent again before its key expires.
    internal static long LatestStart(HttpCall call, HttpMethod method, long deadline) =>
        !call.MayHaveBeenProcessed || call.Policy.Retry.IsIdempotent(method) || call.Policy.Retry.UnsafeMethods is UnsafeMethods.Always
            ? deadline : Math.Min(deadline, call.Policy.KeyEndFrom(call.KeyStartedAt));
}
