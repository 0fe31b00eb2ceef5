using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Refit;

namespace HttpResilience.IntegrationTests.Migration.Guide;

/// <summary>What docs/migration.md shows for users of Refit's retry handler, word for word.</summary>
internal static class FromRefit
{
    internal static void Before(HostApplicationBuilder builder)
    {
        // <refit-before>
        builder.Services.AddRefitGeneratedClient<IOrders>()
            .ConfigureHttpClient(client => client.BaseAddress = new("https://api.example.com"))
            .AddHttpMessageHandler(() => new HttpRetryHandler(new HttpRetryOptions
            {
                MaxRetries = 5,
                RetryUnsafeMethods = true,
                DelayProvider = RetryDelayProviders.GitHub,
            }));
        // </refit-before>
    }

    internal static void After(HostApplicationBuilder builder)
    {
        // <refit-after>
        builder.Services.AddRefitGeneratedClient<IOrders>()
            .ConfigureHttpClient(client => client.BaseAddress = new("https://api.example.com"))
            .AddResilience(options =>
            {
                options.Retry.MaxRetryAttempts = 5;
                options.Retry.MaxDelay = TimeSpan.FromSeconds(30);
                options.Quota.Preset = QuotaOptions.Api.GitHub;
            });
        // </refit-after>
    }
}

/// <summary>An API as Refit declares one.</summary>
public interface IOrders
{
    [Get("/orders/{id}")]
    Task<string> GetAsync(int id);
}
