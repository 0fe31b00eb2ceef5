using HttpResilience;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

public static partial class HttpResilienceServiceCollectionExtensions
{
    private static void AddAlerts(IServiceCollection services)
    {
        // First: whatever code says has the last word, also when it was said before.
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<AlertOptions>>(provider => new ConfigureAlertOptions(provider.GetService<IConfiguration>())));
        services.AddSingleton<IValidateOptions<AlertOptions>>(provider => new ConfigureAlertOptions(provider.GetService<IConfiguration>()));
        services.AddOptionsWithValidateOnStart<AlertOptions>();
        services.AddSingleton<IConfigureOptions<HttpResilienceOptions>>(provider =>
            new ConfigureAlertClient(provider.GetRequiredService<IServiceProviderIsService>(), provider.GetRequiredService<IOptionsFactory<AlertOptions>>()));
        services.AddSingleton(provider => new AlertQueue(provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new AlertSettings(
            provider.GetRequiredService<IOptionsFactory<AlertOptions>>(), provider.GetService<IConfiguration>(), provider.GetRequiredService<AlertQueue>(),
            provider.GetRequiredService<ILogger<AlertSettings>>()));
        services.AddSingleton(provider => new AlertSinks(
            provider, provider.GetServices<IAlertSink>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<AlertSinks>>()));
        services.AddSingleton(provider => new BatchCadences(provider.GetRequiredService<AlertQueue>()));
        services.AddSingleton<CallObserver>(provider => new AlertObserver(provider.GetRequiredService<AlertQueue>(), provider.GetRequiredService<BatchCadences>()));
        services.AddSingleton(provider => new AlertSources(
            provider.GetRequiredService<IResilientClients>(), provider.GetRequiredService<ErrorBudgetObserver>(), provider.GetRequiredService<BatchCadences>(), provider.GetRequiredService<AlertQueue>(), provider.GetService<IDeadLetterStore>(), provider.GetRequiredService<DeadLetterMeter>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<AlertWatch>>()));
        services.AddSingleton(provider => new AlertWatch(
            provider.GetRequiredService<AlertQueue>(), provider.GetRequiredService<AlertSettings>(), provider.GetRequiredService<AlertSources>(), provider.GetRequiredService<BatchCadences>(), provider.GetRequiredService<AlertSinks>(),
            provider.GetRequiredService<Deployment>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<AlertWatch>>()));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<AlertWatch>());
        AddAlertClient(services);
    }

    // A chain, but not one of the application's clients: nothing is said about it when the host starts.
    private static void AddAlertClient(IServiceCollection services)
    {
        services.AddSingleton<IConfigureOptions<HttpClientFactoryOptions>>(provider => new ConfigureResilientClient(provider, AlertClient.Name));
        services.AddSingleton<IPostConfigureOptions<HttpClientFactoryOptions>>(provider => new ConfigureResilientClient(provider, AlertClient.Name));
        services.AddHttpClient(AlertClient.Name)
            // Behind a redirect there is somebody else; and spans of attempts would name the address.
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, ActivityHeadersPropagator = null })
            .AddHttpMessageHandler(provider => new WebhookAddressHandler(provider.GetRequiredService<AlertSettings>(), provider.GetRequiredService<TimeProvider>()));
    }
}
