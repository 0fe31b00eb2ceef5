using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.IntegrationTests;

/// <summary>The way that users go: a generic host, appsettings.json, and an editor while it runs.</summary>
public sealed class AppSettingsTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("httpresilience-");
    private readonly LogCollector _log = new();

    [Fact]
    public async Task An_edited_file_is_in_force_soon_and_a_broken_one_never()
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
            && e.Text.Contains("HttpResilience:Clients:invoices:Retry:Dealy") && e.Text.Contains("HttpResilience:Clients:invoices:Retry:Delay"));
        (await AttemptsAsync(client)).ShouldBe(3);

        Write(server.Uri, """ "MaxRetryAttempts": 1, "Delay": "00:00:00.010" """);
        await Eventually.BeAsync(() => PolicyOf(host).Retry.MaxRetryAttempts == 1);
        (await AttemptsAsync(client)).ShouldBe(2);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task An_open_circuit_outlives_an_edit()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable);
        Write(server.Uri, """ "MaxRetryAttempts": 0 """, """ "FailureThreshold": 2, "BreakDuration": "00:01:00" """);
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
    public async Task A_call_under_way_keeps_the_policy_it_began_with()
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
    public async Task Code_that_throws_at_an_edit_leaves_the_old_policy_in_force()
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
    public async Task A_host_whose_file_is_wrong_does_not_start_and_says_all_that_is_wrong()
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

    private static ResiliencePolicy PolicyOf(IHost host) => host.Services.GetRequiredKeyedService<ClientState>("invoices").Policy;

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

    // In one step, as editors do it: a file that is read half-written is not what this is about.
    private void Write(Uri baseAddress, string retry, string circuit = """ "FailureThreshold": 1000 """)
    {
        string file = Path.Combine(_root.FullName, "appsettings.json");
        File.WriteAllText(file + "~", $$"""
            { "HttpResilience": { "Clients": { "invoices": { "BaseAddress": "{{baseAddress}}", "Retry": { {{retry}} }, "CircuitBreaker": { {{circuit}} } } } } }
            """);
        File.Move(file + "~", file, overwrite: true);
    }
}
