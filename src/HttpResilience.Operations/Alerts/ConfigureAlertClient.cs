using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HttpResilience.Operations;

/// <summary>The settings of the alert client, whatever the defaults of the application's own clients are.</summary>
internal sealed class ConfigureAlertClient(IServiceProviderIsService services, IOptionsFactory<AlertOptions> alerts)
    : IConfigureNamedOptions<HttpResilienceOptions>
{
    internal const string KeyHeader = "Idempotency-Key";

    private const int MaxRetryAttempts = 2;

    // AddDeadLetterReplay configures its options.
    private bool IsReplaying => services.IsService(typeof(IDeadLetterStore))
        && services.IsService(typeof(IConfigureOptions<DeadLetterReplayOptions>));

    public void Configure(HttpResilienceOptions options)
    {
    }

    public void Configure(string? name, HttpResilienceOptions options)
    {
        if (name != AlertClient.Name)
            return;

        var webhooks = Webhooks();
        options.BaseAddress = null;
        (options.TotalRequestTimeout.Timeout, options.AttemptTimeout.Timeout) = (TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10));
        (options.Retry.MaxRetryAttempts, options.Retry.Delay, options.Retry.UnsafeMethods) =
            (MaxRetryAttempts, TimeSpan.FromSeconds(1), UnsafeMethods.WhenKeyed);
        // The outbox already delays retries, and a circuit or a limit of one address would not protect another.
        options.CircuitBreaker.BreakDuration = null;
        options.RateLimiter = null;
        (options.Idempotency.Enabled, options.Idempotency.RememberFor, options.Idempotency.Methods) = (true, null, ["POST"]);
        (options.Idempotency.HeaderName, options.Idempotency.Quoted) = (KeyHeader, false);
        (options.Fallback.Enabled, options.Hedging.Enabled, options.Chaos.Enabled) = (false, false, false);
        // The receiver's response may repeat the address.
        options.Logging.ErrorBodyBytes = 0;
        // The factory's own lines come after the address was put on.
        options.Logging.KeepFactoryLogging = false;
        options.ErrorBudget.PauseAtBurn = null;
        // Without a replay worker, the queue keeps trying instead.
        options.DeadLetter.Enabled = IsReplaying && webhooks.Count > 0;
        options.DeadLetter.Methods = ["POST"];
        options.DeadLetter.AllowedAuthorities = [.. webhooks.Select(w => AlertWebhook.AuthorityOf(w.Url!)).Distinct()];
    }

    private IList<AlertWebhookOptions> Webhooks()
    {
        try
        {
            return alerts.Create(Options.DefaultName).Webhooks;
        }
        catch (OptionsValidationException)
        {
            // Reported once, as a problem of the alerts.
            return [];
        }
    }
}
