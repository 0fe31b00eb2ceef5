using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Reads the quotas of every response and applies them: one that is used up pauses what it belongs to, or all of them pace the attempts.
/// </summary>
internal sealed partial class QuotaHandler(Client client, ResilienceMeter meter, ILogger<QuotaHandler> logger) : ChainHandler
{
    protected override async ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        if (call.Policy.Quota is not { Reader: { } reader } policy || call.Host is not { } host || call.QuotaRoute is not { } route)
            return await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);

        // A request that is sent beside another one has no start yet.
        if (call.NeedsQuotaTurn)
        {
            await QuotaWait.WaitAsync(client, call, ClientDeadline.LastAttemptEndOf(call), async, cancellationToken).ConfigureAwait(false);
        }

        call.HasPausedPart = false;
        var turn = call.TakeQuotaTurn();
        List<QuotaReport> reports = [];
        try
        {
            var response = await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
            if (response is not null)
            {
                reports = reader.Read(response.Headers, client.Time.GetUtcNow());
                host = client.Hosts.HostOf(call, response, host);
                Apply(policy, reader, reports, response, host, call, route);
            }

            return response!;
        }
        finally
        {
            End(turn, host, route, reports, call);
        }
    }

    protected override void NotifyNotSent(HttpCall call)
    {
        call.GiveBackQuotaTurn();
        base.NotifyNotSent(call);
    }

    private void End(QuotaTurn? turn, HostState host, in QuotaRoute route, List<QuotaReport> reports, HttpCall call)
    {
        if (turn is null)
            return;
        var policy = call.Policy;
        // Another host has quotas of its own, and no place of the attempt.
        if (turn.Host != host.Quotas)
            reports = [];
        turn.Host.End(
            turn, route, reports, time => time > TimeSpan.Zero ? policy.ToTimestamp(policy.Believed(time)) : 0,
            client.Time.GetTimestamp(), policy.MaxHosts);
    }

    private void Apply(
        QuotaPolicy policy, QuotaReader reader, List<QuotaReport> reports, HttpResponseMessage response, HostState host, HttpCall call,
        in QuotaRoute route)
    {
        if (reports.Count == 0)
            return;
        bool isRejection = HostDirectory.IsRejection(response.StatusCode) || reader.Rejects((int)response.StatusCode, response.Headers);
        // The pace keeps what a pause would.
        route.Learn(host, reports);
        if (!isRejection && policy is not { PausesOnSuccess: true, Pace: false })
            return;
        var retryAfter = isRejection ? RetryAfter.Of(response.Headers, client.Time.GetUtcNow()) : null;
        call.HasPausedPart = isRejection && reports.Exists(r => r is { IsUsedUp: true, Part: not null });
        if (!host.ApplyQuotas(call.Policy, reports, call.Tenant, retryAfter, client.Time.GetTimestamp()))
            return;
        meter.Paused(client.Name, host.Key, (int)response.StatusCode);
        if (logger.IsEnabled(LogLevel.Debug))
            UsedUp(logger, client.Name, host.Authority, reports.Find(r => r.IsUsedUp) is var used && used.Part is { } part
                ? $"{used.Name} of {SingleLine.Clean(part)}" : used.Name);
    }

    [LoggerMessage(212, LogLevel.Debug, "{ClientName}: {Quota} of {Authority} is used up; calls that it applies to wait for its reset")]
    private static partial void UsedUp(ILogger logger, string clientName, string authority, string quota);
}
