using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.AspNetCore;

/// <summary>The settings in force of a client by the API, and where each comes from, also after reloads.</summary>
public sealed class ApiSettingsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("settings-").FullName;

    private IConfigurationRoot? _configuration;

    public void Dispose()
    {
        Directory.Delete(_directory, recursive: true);
        Environment.SetEnvironmentVariable("HttpResilience__Clients__orders__MaxTimeout", null);
    }

    [Fact]
    public async Task Each_setting_tells_its_source_and_follows_reloads_that_are_valid()
    {
        Write("""
            "Defaults": { "AttemptTimeout": { "Timeout": "00:00:05" }, "Retry": { "MaxRetryAttempts": 4 } },
            "Clients": { "orders": {
              "BaseAddress": "https://user:hunter2@api.example.com/v1/?sig=hunter2",
              "Retry": { "Delay": "00:00:00.200", "MaxRetryAttempts": 3 },
              "Hedging": null, "CircuitBreaker": null,
              "Routes": { "POST /exports/*": { "TotalRequestTimeout": { "Timeout": "00:05:00" } } } } }
            """);
        Environment.SetEnvironmentVariable("HttpResilience__Clients__orders__MaxTimeout", "00:06:00");
        await using var host = await StartAsync();

        var settings = await SettingsAsync(host);

        settings["AttemptTimeout:Timeout"].ShouldBe(("00:00:05", "appsettings.json", "HttpResilience:Defaults:AttemptTimeout:Timeout"));
        settings["Retry:MaxRetryAttempts"].ShouldBe(("2", "extra.json", "HttpResilience:Clients:orders:Retry:MaxRetryAttempts"));
        settings["Retry:Delay"].ShouldBe(("00:00:00.2000000", "appsettings.json", "HttpResilience:Clients:orders:Retry:Delay"));
        settings["MaxTimeout"].ShouldBe(("00:06:00", "environment variables", "HttpResilience:Clients:orders:MaxTimeout"));
        settings["Retry:UseJitter"].Source.ShouldBe("default");
        settings["Logging:Level"].ShouldBe(("Debug", "code", null));
        settings["CircuitBreaker:BreakDuration"].ShouldBe(("null", "appsettings.json", "HttpResilience:Clients:orders:CircuitBreaker"));
        settings["POST /exports/*|TotalRequestTimeout:Timeout"].Source.ShouldBe("appsettings.json");
        settings["BaseAddress"].Value.ShouldBe("https://***@api.example.com/v1/?***");
        (await host.GetAsync("clients/orders/settings")).Text.ShouldNotContain("hunter2");

        // A valid reload is in force at once.
        Write("""
            "Clients": { "orders": { "Retry": { "Delay": "00:00:00.300" } } }
            """);
        _configuration!.Reload();
        settings = await SettingsAsync(host);
        settings["Retry:Delay"].Value.ShouldBe("00:00:00.3000000");
        settings["AttemptTimeout:Timeout"].ShouldBe(("00:00:30", "default", null));
        settings["CircuitBreaker:BreakDuration"].Source.ShouldBe("default");

        // One that is not is told, and changes nothing.
        Write("""
            "Clients": { "orders": { "Retry": { "Delay": "soon" } } }
            """);
        _configuration.Reload();
        (await SettingsAsync(host))["Retry:Delay"].Value.ShouldBe("00:00:00.3000000");
        ((string)(await host.GetAsync("clients/orders/settings")).Json["rejected"]!).ShouldContain("'soon'");
        Write("""
            "Clients": { "orders": { "Retry": { "Delay": "00:00:00.400" } } }
            """);
        _configuration.Reload();
        (await host.GetAsync("clients/orders/settings")).Json["rejected"].ShouldBeNull();
    }

    [Fact]
    public async Task A_client_that_this_instance_has_not_is_404_with_those_that_it_has()
    {
        Write("");
        await using var host = await StartAsync();

        var unknown = await host.GetAsync("clients/order/settings");

        unknown.Status.ShouldBe(HttpStatusCode.NotFound);
        ((string)unknown.Json["detail"]!).ShouldBe("This instance has: orders.");
        (await host.GetAsync("clients/orders/settings", person: null)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    private static async Task<Dictionary<string, (string Value, string Source, string? Path)>> SettingsAsync(ApiHost host) =>
        (await host.GetAsync("clients/orders/settings")).Json["settings"]!.AsArray().ToDictionary(
            s => s!["route"] is { } route ? $"{route}|{s["key"]}" : $"{s["key"]}",
            s => ((string)s!["value"]!, (string)s["source"]!, (string?)s["path"]));

    private void Write(string settings) =>
        File.WriteAllText(Path.Combine(_directory, "appsettings.json"), $$"""{ "HttpResilience": { {{settings}} } }""");

    private Task<ApiHost> StartAsync()
    {
        File.WriteAllText(
            Path.Combine(_directory, "extra.json"),
            """{ "HttpResilience": { "Clients": { "orders": { "Retry": { "MaxRetryAttempts": 2 } } } } }""");
        _configuration = new ConfigurationBuilder().SetBasePath(_directory).AddJsonFile("appsettings.json").AddJsonFile("extra.json")
            .AddEnvironmentVariables().Build();
        return ApiHost.StartAsync(
            builder =>
            {
                builder.Services.AddSingleton<IConfiguration>(_configuration);
                ApiHost.AddPeople(builder.Services);
                builder.Services.AddHttpResilienceApi();
                builder.Services.AddResilientHttpClient("orders", o => o.Logging.Level = Microsoft.Extensions.Logging.LogLevel.Debug);
            },
            app => app.MapHttpResilienceApi().RequireAuthorization("staff"));
    }
}
