using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace HttpResilience.Peers;

/// <summary><c>AddStandardResilienceHandler</c>.</summary>
internal sealed class MicrosoftPeer : Peer
{
    internal override string Name { get; } = Versioned("Microsoft.Extensions.Http.Resilience", typeof(HttpStandardResilienceOptions));

    internal override IHttpClientBuilder AddTo(IServiceCollection services, PeerSettings settings)
    {
        var builder = services.AddHttpClient(PeerClient.Name);
        var pipeline = builder.AddStandardResilienceHandler(o =>
        {
            if (settings.IsDefault)
                return;
            o.TotalRequestTimeout.Timeout = settings.Total;
            o.AttemptTimeout.Timeout = settings.Attempt;
            o.CircuitBreaker.SamplingDuration = settings.Attempt * 2;
            (o.Retry.Delay, o.Retry.BackoffType, o.Retry.UseJitter) = (settings.Delay, DelayBackoffType.Constant, false);
            if (settings.Retries > 0)
                o.Retry.MaxRetryAttempts = settings.Retries;
            else
                o.Retry.ShouldHandle = static _ => PredicateResult.False();
            if (settings.FailuresToOpen is { } failures)
            {
                (o.CircuitBreaker.MinimumThroughput, o.CircuitBreaker.FailureRatio, o.CircuitBreaker.BreakDuration) =
                    (failures, 0.01, settings.Break);
            }
            else
            {
                o.CircuitBreaker.ShouldHandle = static _ => PredicateResult.False();
            }

            if (!settings.RepeatsUnsafe)
                o.Retry.DisableForUnsafeHttpMethods();
        });
        if (settings.ByAuthority)
            pipeline.SelectPipelineByAuthority();
        return builder;
    }

    internal override IHttpClientBuilder AddTo(IServiceCollection services, IConfigurationRoot configuration)
    {
        configuration["Standard:CircuitBreaker:MinimumThroughput"] = "2";
        configuration["Standard:CircuitBreaker:FailureRatio"] = "0.01";
        configuration["Standard:Retry:MaxRetryAttempts"] = "1";
        var builder = services.AddHttpClient(PeerClient.Name);
        builder.AddStandardResilienceHandler(configuration.GetSection("Standard"));
        return builder;
    }
}
