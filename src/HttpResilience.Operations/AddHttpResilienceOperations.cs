using System.Diagnostics.Metrics;
using HttpResilience;
using HttpResilience.Operations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds alerts, error budgets and health checks for clients with the resilience chain.</summary>
public static class HttpResilienceOperationsExtensions
{
    private const string Package = "HttpResilience.Operations";

    extension(IServiceCollection services)
    {
        /// <summary>
        /// Evaluates alerts (<c>HttpResilience:Alerts</c>) and keeps error budgets (<c>ErrorBudget</c> of each client) for all clients
        /// with the chain, in any order with <c>AddResilientHttpClient</c>. Adding it twice changes nothing.
        /// </summary>
        /// <returns>The same collection.</returns>
        public IServiceCollection AddHttpResilienceOperations()
        {
            if (services.Any(d => d.ServiceType == typeof(ErrorBudgetObserver)))
                return services;

            // First: it brings the parts of the chain, whose hosted service makes the clients before those of this package start.
            AddAlertClient(services);
            AddErrorBudgets(services);
            AddAlerts(services);
            return services;
        }

        /// <summary>Adds the health check <c>http-resilience</c>.</summary>
        /// <returns>The builder of health checks.</returns>
        [Obsolete("Use services.AddHealthChecks().AddHttpResilience().")]
        public IHealthChecksBuilder AddHttpResilienceHealthChecks() => services.AddHealthChecks().AddHttpResilience();
    }

    extension(IHealthChecksBuilder builder)
    {
        /// <summary>
        /// Adds a health check, and what it reports on (<c>AddHttpResilienceOperations</c>). Degraded: a circuit is not closed, an error
        /// budget is used up or burns too fast, or dead letters wait that no live process will replay. Unhealthy: an integration is
        /// paused, or the durable store accepts no dead letter, which a probe verifies at most every 10 seconds. Its data has, by client,
        /// the circuits of its hosts, the error budget and the pause. It is for readiness: a restart mends none of this, so it is not for
        /// liveness. Adding it twice under one name changes nothing.
        /// </summary>
        /// <param name="name">The name of the check. Default null: <c>http-resilience</c>.</param>
        /// <param name="failureStatus">What is reported instead of Unhealthy. Default null: Unhealthy.</param>
        /// <param name="tags">The tags by which endpoints select checks, such as <c>ready</c>. Default null: none.</param>
        /// <returns>The same builder.</returns>
        public IHealthChecksBuilder AddHttpResilience(
            string? name = null, HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
        {
            builder.Services.AddHttpResilienceOperations();
            return ResilienceHealthCheck.AddTo(builder, name ?? ResilienceHealthCheck.Name, failureStatus, tags);
        }
    }

    private static void AddErrorBudgets(IServiceCollection services)
    {
        services.AddSingleton(provider => new ErrorBudgetObserver(
            new(LoggerOf(provider, ErrorBudgetEvents.LogCategory)),
            provider.GetRequiredService<IServiceProviderIsService>().IsService(typeof(IErrorBudgetStore)),
            provider.GetService<IMeterFactory>(), excludedClient: AlertClient.Name));
        services.AddSingleton<CallObserver>(provider => provider.GetRequiredService<ErrorBudgetObserver>());
        // How the core knows that the package is there.
        services.AddKeyedSingleton<CallObserver>(Package, (provider, _) => provider.GetRequiredService<ErrorBudgetObserver>());
        ErrorBudgets.AddTo(services);
        services.AddSingleton(provider => new Deployment(
            new Lazy<string>(() => Deployment.VersionOf(provider.GetRequiredService<AlertSettings>().DeploymentVersion))));
        services.AddSingleton<IHostedService>(provider => new ErrorBudgetKeeper(
            provider.GetService<IErrorBudgetStore>(), provider.GetService<IDeadLetterStore>(),
            provider.GetRequiredService<ErrorBudgetObserver>(), provider.GetRequiredService<Deployment>(), TimeOf(provider),
            LoggerOf(provider, ErrorBudgetKeeper.LogCategory)));
    }

    private static void AddAlerts(IServiceCollection services)
    {
        // Inserted first, so that the application's delegates run after it, even those added before.
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<AlertOptions>>(provider =>
            new ConfigureAlertOptions(provider.GetService<IConfiguration>())));
        services.AddSingleton<IValidateOptions<AlertOptions>>(provider => new ConfigureAlertOptions(provider.GetService<IConfiguration>()));
        services.AddOptionsWithValidateOnStart<AlertOptions>();
        services.AddSingleton(provider => new AlertQueue(TimeOf(provider)));
        services.AddSingleton(provider => new AlertSettings(
            provider.GetRequiredService<IOptionsFactory<AlertOptions>>(), provider.GetService<IConfiguration>(),
                provider.GetRequiredService<AlertQueue>(),
            LoggerOf(provider, AlertSettings.LogCategory)));
        services.AddSingleton(provider => new AlertSinks(
            provider, provider.GetServices<IAlertSink>(), TimeOf(provider), LoggerOf(provider, AlertSinks.LogCategory)));
        services.AddSingleton(provider => new BatchCadences(provider.GetRequiredService<AlertQueue>()));
        services.AddSingleton<CallObserver>(provider =>
            new AlertObserver(provider.GetRequiredService<AlertQueue>(), provider.GetRequiredService<BatchCadences>()));
        services.AddSingleton(provider => new AlertSources(
            provider.GetRequiredService<IResilientClients>(), provider.GetRequiredService<ErrorBudgetObserver>(),
                provider.GetRequiredService<BatchCadences>(),
            provider.GetRequiredService<AlertQueue>(), CountOf(provider), TimeOf(provider),
                LoggerOf(provider, AlertEvaluator.LogCategory)));
        Incidents.AddTo(services);
        services.AddSingleton(IncidentSharing.Of);
        services.AddSingleton(provider => new AlertEvaluator(
            provider.GetRequiredService<AlertQueue>(), provider.GetRequiredService<AlertSettings>(),
                provider.GetRequiredService<AlertSources>(),
            provider.GetRequiredService<BatchCadences>(), provider.GetRequiredService<AlertSinks>(),
                provider.GetRequiredService<Deployment>(), provider.GetRequiredService<IncidentSharing>(), TimeOf(provider),
            LoggerOf(provider, AlertEvaluator.LogCategory)));
        services.AddSingleton<IHostedService>(provider => new UnusedAlertRules(
            provider.GetRequiredService<AlertSettings>(), provider.GetRequiredService<IResilientClients>(),
                LoggerOf(provider, UnusedAlertRules.LogCategory)));
        // Before the evaluator, so that it stops after it: when the sinks are closed, it is known which alerts were sent.
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<IncidentSharing>());
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<AlertEvaluator>());
    }

    private static void AddAlertClient(IServiceCollection services)
    {
        services.AddHttpClient(AlertClient.Name).AddResilience(AlertClient.Name)
            // A redirect leads to another host; and spans of attempts would name the address.
            .ConfigurePrimaryHttpMessageHandler(() =>
                new SocketsHttpHandler { AllowAutoRedirect = false, ActivityHeadersPropagator = null })
            .AddHttpMessageHandler(provider => new WebhookAddressHandler(provider.GetRequiredService<AlertSettings>(), TimeOf(provider)));
        services.AddSingleton<IConfigureOptions<HttpResilienceOptions>>(provider =>
            new ConfigureAlertClient(provider.GetRequiredService<IServiceProviderIsService>(),
                provider.GetRequiredService<IOptionsFactory<AlertOptions>>()));
        services.AddKeyedSingleton<ILoggerFactory>(AlertClient.Name,
            (provider, _) => new DebugLoggerFactory(provider.GetRequiredService<ILoggerFactory>()));
    }

    // The review's counts show in the metrics, too.
    private static Func<CancellationToken, Task<DeadLetterCounts>>? CountOf(IServiceProvider provider) =>
        provider.GetService<IDeadLetterReview>() is { } review ? review.CountAsync
        : provider.GetService<IDeadLetterStore>() is { } store ? store.CountAsync
        : null;

    private static TimeProvider TimeOf(IServiceProvider provider) => provider.GetRequiredService<TimeProvider>();

    private static ILogger LoggerOf(IServiceProvider provider, string category) =>
        provider.GetRequiredService<ILoggerFactory>().CreateLogger(category);
}
