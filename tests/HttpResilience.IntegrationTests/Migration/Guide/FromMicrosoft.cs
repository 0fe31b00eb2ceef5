extern alias pollycore;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http.Resilience;
using BrokenCircuitException = pollycore::Polly.CircuitBreaker.BrokenCircuitException;
using TimeoutRejectedException = pollycore::Polly.Timeout.TimeoutRejectedException;

namespace HttpResilience.IntegrationTests.Migration.Guide;

/// <summary>What docs/migration.md shows for users of Microsoft.Extensions.Http.Resilience, word for word.</summary>
internal static class FromMicrosoft
{
    internal static void Before(HostApplicationBuilder builder)
    {
        // <before>
        builder.Services.AddHttpClient<OrderClient>("orders").AddStandardResilienceHandler(options =>
        {
            options.Retry.MaxRetryAttempts = 5;
            options.Retry.DisableFor(HttpMethod.Post);
        });
        // </before>
    }

    internal static void Report(HostApplicationBuilder builder)
    {
        // <report>
        builder.Services.AddHttpClient<OrderClient>("orders").AddStandardResilienceHandler(options =>
        {
            options.Retry.MaxRetryAttempts = 5;
            options.Retry.DisableFor(HttpMethod.Post);
        }).UseHttpResilience(report: true);   // logs what would differ, and changes nothing
        // </report>
    }

    internal static void After(HostApplicationBuilder builder)
    {
        // <after>
        builder.Services.AddHttpClient<OrderClient>("orders").AddStandardResilienceHandler(options =>
        {
            options.Retry.MaxRetryAttempts = 5;
            options.Retry.DisableFor(HttpMethod.Post);
        }).UseHttpResilience();
        // </after>
    }

    internal static void Others(HostApplicationBuilder builder)
    {
        // <others>
        // all clients, as in .NET Aspire's service defaults
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            http.AddStandardResilienceHandler().UseHttpResilience();
            http.AddServiceDiscovery();
        });

        // a section of the settings, with its reloads
        builder.Services.AddHttpClient("partner")
            .AddStandardResilienceHandler(builder.Configuration.GetSection("Partner:Resilience")).UseHttpResilience();

        // hedging: the groups become Endpoints
        builder.Services.AddHttpClient("prices", client => client.BaseAddress = new("https://eu.example.com"))
            .AddStandardHedgingHandler(routing => routing.ConfigureOrderedGroups(options =>
            {
                options.Groups.Add(new UriEndpointGroup { Endpoints = { new() { Uri = new("https://eu.example.com") } } });
                options.Groups.Add(new UriEndpointGroup { Endpoints = { new() { Uri = new("https://us.example.com") } } });
            })).UseHttpResilience();
        // </others>
    }

    internal static void Without(HostApplicationBuilder builder)
    {
        // <without>
        builder.Services.AddHttpClient<OrderClient>("orders").AddResilience(options =>
        {
            options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(30);
            options.AttemptTimeout.Timeout = TimeSpan.FromSeconds(10);
            options.Retry.MaxRetryAttempts = 5;
            options.Retry.Delay = TimeSpan.FromSeconds(2);
            options.Retry.MaxDelay = null;
            options.Retry.Methods = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"];
        });

        // a section that was written for AddStandardResilienceHandler
        builder.Services.AddHttpClient("partner").AddResilience(builder.Configuration.GetSection("Partner:Resilience"));
        // </without>
    }

    internal static async Task<string> CatchBeforeAsync(HttpClient http)
    {
        // <catch-before>
        try
        {
            return await http.GetStringAsync("orders/1");
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutRejectedException or BrokenCircuitException)
        {
            return "later";
        }
        // </catch-before>
    }

    internal static async Task<string> CatchAfterAsync(HttpClient http)
    {
        // <catch-after>
        try
        {
            return await http.GetStringAsync("orders/1");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException { InnerException: TimeoutException })
        {
            return "later";   // an open circuit and a limit are HttpRequestExceptions too: RejectedException
        }
        // </catch-after>
    }
}
