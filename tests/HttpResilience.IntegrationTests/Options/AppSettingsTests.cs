using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.IntegrationTests;

/// <summary>A generic host with appsettings.json that is edited at run time.</summary>
public sealed class AppSettingsTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("httpresilience-");
    private readonly LogCollector _log = new();

    [Fact]
    public async Task A_valid_edit_of_the_file_takes_effect_and_an_invalid_one_does_not()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable);
        Write(server.Uri, """ "MaxRetryAttempts": 0 """);
        using var host = await StartAsync();
        var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("invoices");

        (await AttemptsAsync(client)).ShouldBe(1);

        Write(server.Uri, """ "MaxRetryAttempts": 2, "Delay": "00:00:00.010" """);
        await Eventually.BeAsync(() => PolicyOf(host).Retry.MaxRetryAttempts == 2);
        (await AttemptsAsync(client)).ShouldBe(3);

        Write(server.Uri, """ "MaxRetryAttempts": -7, "Dealy": "00:00:01" """);
        await Eventually.BeAsync(() => Errors.Any());
        Errors.ShouldAllBe(e =>
            e.Text.Contains("HttpResilience:Clients:invoices:Retry:MaxRetryAttempts") && e.Text.Contains("-7")
            && e.Text.Contains("HttpResilience:Clients:invoices:Retry:Dealy")
            && e.Text.Contains("HttpResilience:Clients:invoices:Retry:Delay"));
        (await AttemptsAsync(client)).ShouldBe(3);

        Write(server.Uri, """ "MaxRetryAttempts": 1, "Delay": "00:00:00.010" """);
        await Eventually.BeAsync(() => PolicyOf(host).Retry.MaxRetryAttempts == 1);
        (await AttemptsAsync(client)).ShouldBe(2);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task An_open_circuit_survives_a_reload()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable);
        Write(
            server.Uri, """ "MaxRetryAttempts": 0 """,
            """ "FailureThreshold": 2, "FailureDuration": null, "MaxWait": null, "BreakDuration": "00:01:00" """);
        using var host = await StartAsync();
        var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("invoices");
        await AttemptsAsync(client);
        await AttemptsAsync(client);

        Write(server.Uri, """ "MaxRetryAttempts": 5 """, """ "FailureThreshold": 100, "BreakDuration": "00:00:01" """);
        await Eventually.BeAsync(() => PolicyOf(host).Retry.MaxRetryAttempts == 5);

        await client.FailAsync<CircuitOpenException>(Mode.Async, Sending.Get());
        server.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_call_in_flight_keeps_its_policy_during_a_reload()
    {
        PolicySwap? swap = null;
        await using var server = await KestrelServer.StartAsync(async context =>
        {
            if (Interlocked.Exchange(ref swap, null) is { } now)
                await now();
            await Reply.Unavailable(context);
        });
        Write(server.Uri, """ "MaxRetryAttempts": 3, "Delay": "00:00:00.010" """);
        using var host = await StartAsync();
        var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("invoices");
        swap = async () =>
        {
            Write(server.Uri, """ "MaxRetryAttempts": 0 """);
            await Eventually.BeAsync(() => PolicyOf(host).Retry.MaxRetryAttempts == 0);
        };

        (await AttemptsAsync(client)).ShouldBe(4);
        (await AttemptsAsync(client)).ShouldBe(1);
    }

    [Fact]
    public async Task A_configure_delegate_that_throws_on_reload_leaves_the_old_policy_in_effect()
    {
        bool isBroken = false;
        Write(new Uri("http://localhost/"), """ "MaxRetryAttempts": 3 """);
        using var host = await StartAsync(_ =>
        {
            if (isBroken)
                throw new InvalidOperationException("the code is broken");
        });
        var before = PolicyOf(host);

        isBroken = true;
        Write(new Uri("http://localhost/"), """ "MaxRetryAttempts": 4 """);
        await Eventually.BeAsync(() => Errors.Any());
        Errors.ShouldAllBe(e => e.Text.Contains("the code is broken"));
        PolicyOf(host).ShouldBeSameAs(before);

        isBroken = false;
        Write(new Uri("http://localhost/"), """ "MaxRetryAttempts": 5 """);
        await Eventually.BeAsync(() => PolicyOf(host).Retry.MaxRetryAttempts == 5);
    }

    [Fact]
    public async Task A_host_with_an_invalid_file_does_not_start_and_lists_every_problem()
    {
        Write(new Uri("http://localhost/"), """ "MaxRetryAttempts": -1, "Delay": "soon" """, """ "FailureRatio": 7 """);

        var exception = await Should.ThrowAsync<OptionsValidationException>(StartAsync());

        exception.Failures.Count().ShouldBe(3);
        exception.Message.ShouldContain("HttpResilience:Clients:invoices:Retry:MaxRetryAttempts");
        exception.Message.ShouldContain("HttpResilience:Clients:invoices:Retry:Delay");
        exception.Message.ShouldContain("HttpResilience:Clients:invoices:CircuitBreaker:FailureRatio");
    }

    public void Dispose()
    {
        _root.Delete(recursive: true);
        _log.Dispose();
    }

    private delegate Task PolicySwap();

    private IEnumerable<LogLine> Errors => _log.Lines.Where(l => l.Level is LogLevel.Error);

    private static ResiliencePolicy PolicyOf(IHost host) => host.Services.GetRequiredKeyedService<Client>("invoices").Policy;

    private async Task<IHost> StartAsync(Action<HttpResilienceOptions>? configure = null)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = _root.FullName });
        builder.Logging.ClearProviders().AddProvider(_log);
        builder.Services.AddResilientHttpClient("invoices", configure);
        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    private static async Task<int> AttemptsAsync(HttpClient client)
    {
        using var response = await client.SendAsync(Mode.Async, Sending.Get());
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        return response.GetHttpCall()!.Attempts.Count;
    }

    // Atomically, as editors do, so that the host never reads a half-written file.
    private void Write(Uri baseAddress, string retry, string circuit = """ "FailureThreshold": 1000 """)
    {
        string file = Path.Combine(_root.FullName, "appsettings.json");
        File.WriteAllText(file + "~", $$"""
            { "HttpResilience": { "Clients": { "invoices": {
                "BaseAddress": "{{baseAddress}}", "Retry": { {{retry}} }, "CircuitBreaker": { {{circuit}} } } } } }
            """);
        File.Move(file + "~", file, overwrite: true);
    }
}
