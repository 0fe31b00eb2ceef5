using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Peers;

/// <summary><c>AddResilientHttpClient</c>.</summary>
internal sealed class OurPeer : Peer
{
    internal override string Name { get; } = Versioned("HttpResilience", typeof(HttpResilienceOptions));

    internal override IHttpClientBuilder AddTo(IServiceCollection services, PeerSettings settings) =>
        services.AddResilientHttpClient(PeerClient.Name, o =>
        {
            if (settings.IsDefault)
                return;
            o.TotalRequestTimeout.Timeout = settings.Total;
            o.AttemptTimeout.Timeout = settings.Attempt;
            o.Idempotency.Enabled = settings.MakesKeys;
            (o.Retry.MaxRetryAttempts, o.Retry.Delay, o.Retry.BackoffType, o.Retry.UseJitter) =
                (settings.Retries, settings.Delay, BackoffType.Constant, false);
            o.Retry.Budget.RetryRatio = settings.HasBudget ? o.Retry.Budget.RetryRatio : null;
            (o.CircuitBreaker.FailureThreshold, o.CircuitBreaker.FailureRatio, o.CircuitBreaker.BreakDuration) =
                (settings.FailuresToOpen ?? int.MaxValue, null, settings.Break);
            (o.CircuitBreaker.MaxWait, o.CircuitBreaker.FailureDuration) = (null, null);
            o.CircuitBreaker.MaxCircuits = settings.MaxHosts;
        });

    internal override IHttpClientBuilder AddTo(IServiceCollection services, IConfigurationRoot configuration)
    {
        const string Section = $"HttpResilience:Clients:{PeerClient.Name}";
        configuration[$"{Section}:CircuitBreaker:FailureThreshold"] = "2";
        configuration[$"{Section}:Retry:MaxRetryAttempts"] = "1";
        services.AddSingleton<IConfiguration>(configuration);
        return services.AddResilientHttpClient(PeerClient.Name);
    }
}
