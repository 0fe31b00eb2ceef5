namespace HttpResilience;

/// <summary>Holds an attempt back until the quotas of its host let it start (<c>Quota:Pace</c>).</summary>
internal static class QuotaWait
{
    /// <summary>Waits for the start of the next attempt of a call.</summary>
    /// <param name="latest">The timestamp before which it must start.</param>
    /// <returns>The timestamp at which the wait ended.</returns>
    /// <exception cref="RateLimitedException">Its start would be too late.</exception>
    internal static async ValueTask<long> WaitAsync(
        Client client, HttpCall call, long latest, bool async, CancellationToken cancellationToken)
    {
        var host = call.Host!;
        var route = call.QuotaRoute!.Value;
        var turn = new QuotaTurn(host.GetOrAddQuotas(), call.Tenant);
        for (long now = client.Time.GetTimestamp(); ;)
        {
            long start = turn.Host.Reserve(turn, route, now, latest, call.Policy.MaxHosts);
            if (start >= latest)
            {
                call.Stop(StopReason.RateLimited, FailureClass.RateLimited);
                throw RateLimitedException.ByQuota(host.Key.Authority, client.Time.GetElapsedTime(now, start));
            }

            try
            {
                if (start > now)
                    await WaitingCalls.UntilAsync(client, call, start, async, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                turn.Host.GiveBack(turn, client.Time.GetTimestamp());
                throw;
            }

            now = client.Time.GetTimestamp();
            if (!turn.Host.TryStart(turn, now))
                continue;
            call.SetQuotaTurn(turn);
            return now;
        }
    }
}
