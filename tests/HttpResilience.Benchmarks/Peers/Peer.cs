using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace HttpResilience.Peers;

/// <summary>A package that makes the calls of an <see cref="HttpClient"/> resilient, with the same settings for each.</summary>
internal abstract class Peer
{
    internal static Peer Ours { get; } = new OurPeer();

    internal static Peer Microsoft { get; } = new MicrosoftPeer();

    internal bool IsOurs => this == Ours;

    /// <summary>Adds a client, or its handler once more.</summary>
    internal abstract IHttpClientBuilder AddTo(IServiceCollection services, PeerSettings settings);

    /// <summary>Adds a client whose settings come from configuration: its circuit opens after two failures.</summary>
    internal abstract IHttpClientBuilder AddTo(IServiceCollection services, IConfigurationRoot configuration);

    private sealed class OurPeer : Peer
    {
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

    private sealed class MicrosoftPeer : Peer
    {
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
}

/// <summary>The settings of a client, which mean the same to every peer.</summary>
internal sealed record PeerSettings
{
    /// <summary>The settings that each package has when nothing is configured.</summary>
    internal static PeerSettings BuiltIn { get; } = new() { IsDefault = true };

    internal bool IsDefault { get; private init; }

    internal TimeSpan Total { get; init; } = TimeSpan.FromSeconds(100);

    internal TimeSpan Attempt { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The timeout that a typed client's constructor sets on its <see cref="HttpClient"/>; null for none.</summary>
    internal TimeSpan? OfConstructor { get; init; }

    internal int Retries { get; init; } = 3;

    internal TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>The failures that open the circuit; null for no circuit.</summary>
    internal int? FailuresToOpen { get; init; }

    internal TimeSpan Break { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>POSTs get an idempotency key; only ours makes them.</summary>
    internal bool MakesKeys { get; init; }

    /// <summary>POSTs are repeated; only Microsoft's has such a setting.</summary>
    internal bool RepeatsUnsafe { get; init; } = true;

    /// <summary>A retry budget as built in; only ours has one.</summary>
    internal bool HasBudget { get; init; }

    /// <summary>The state is kept for each host; ours always does.</summary>
    internal bool ByAuthority { get; init; }

    /// <summary>The hosts whose state is kept; only ours has a limit.</summary>
    internal int MaxHosts { get; init; } = 10_000;
}
