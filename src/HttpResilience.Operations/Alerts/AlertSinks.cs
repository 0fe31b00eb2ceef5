using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Operations;

/// <summary>
/// The application's own sinks and the configured webhooks, each with an outbox of its own.
/// </summary>
/// <param name="services">The root container.</param>
internal sealed class AlertSinks(IServiceProvider services, IEnumerable<IAlertSink> own, TimeProvider time, ILogger logger) : IDisposable
{
    internal const string LogCategory = "HttpResilience.AlertSinks";

    private readonly Lock _gate = new();
    private readonly Dictionary<AlertWebhook, AlertOutbox> _webhooks = [];
    private readonly IAlertSink[] _sinks = [.. own];
    private AlertOutbox[]? _own;
    private volatile bool _areStopped;

    private IEnumerable<AlertOutbox> All => (_own ?? []).Concat(_webhooks.Values);

    /// <summary>They accept no more alerts.</summary>
    internal bool AreStopped => _areStopped;

    /// <summary>Sends to the webhooks of this policy from now on. Alerts that wait for a removed webhook are dropped.</summary>
    internal void Use(AlertPolicy policy)
    {
        if (!policy.IsOn)
            return;
        lock (_gate)
            Open(policy);
    }

    private void Open(AlertPolicy policy)
    {
        _own ??= [.. _sinks.Select(sink => new AlertOutbox(sink, AlertOutboxRules.Of(sink), time, logger))];
        AlertWebhook[] gone = [.. _webhooks.Keys.Except(policy.Webhooks)];
        foreach (var webhook in gone)
        {
            _webhooks[webhook].Dispose();
            _webhooks.Remove(webhook);
        }

        foreach (var webhook in policy.Webhooks.Where(w => !_webhooks.ContainsKey(w)))
            _webhooks[webhook] = Open(webhook);
    }

    private AlertOutbox Open(AlertWebhook webhook)
    {
        var sink = new WebhookAlertSink(webhook, services.GetRequiredService<IHttpClientFactory>(),
            services.GetService<IDeadLetterStore>(), time, logger);
        return new(sink, AlertOutboxRules.Of(webhook, sink), time, logger);
    }

    /// <returns>For each sink, see <see cref="AlertOutbox.Add"/>.</returns>
    internal IReadOnlyList<Task<bool>> Add(Alert alert)
    {
        lock (_gate)
            return [.. All.Select(o => o.Add(alert))];
    }

    internal Task StopAsync(CancellationToken cancellationToken)
    {
        _areStopped = true;
        return Task.WhenAll(All.Select(o => o.StopAsync(cancellationToken)));
    }

    public void Dispose()
    {
        foreach (var outbox in All)
            outbox.Dispose();
    }
}
