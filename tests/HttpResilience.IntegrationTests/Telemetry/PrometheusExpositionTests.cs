using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using HttpResilience.Tests.Dashboards;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace HttpResilience.IntegrationTests.Telemetry;

/// <summary>
/// What Prometheus reads from an application that uses everything: the names, types and labels that dashboard, rules and docs/dashboards.md
/// have by the rule of translation. An exporter of OpenTelemetry translates here; it leaves the suffix of a ratio out.
/// </summary>
public sealed partial class PrometheusExpositionTests
{
    private const string Name = "orders";

    private int _pages;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_instrument_is_exposed_with_the_name_the_type_and_the_labels_that_dashboards_use()
    {
        int port = FreePort();
        using var metrics = Sdk.CreateMeterProviderBuilder().AddHttpResilienceInstrumentation()
            .AddPrometheusHttpListener(o => (o.Port, o.ScopeInfoEnabled) = (port, false)).Build();
        await using var server = await KestrelServer.StartAsync(RespondAsync);
        using var host = Application(server.Uri);
        await host.StartAsync(Token);
        await using var broken = WithoutStore(server.Uri);

        await UseAsync(host.Services, server.Uri);
        using var lost = broken.GetRequiredService<IHttpClientFactory>().CreateClient(Name);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/down") { Headers = { { "Idempotency-Key", "1" } } };
        (await lost.SendAsync(request, Token)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        string exposed = await ScrapeAsync(port);
        await host.StopAsync(Token);

        var types = TypeLine.Matches(exposed).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        types.Where(t => IsOurs(t.Key)).Select(t => $"{t.Key} {t.Value}").ShouldBe(
            PrometheusInstrument.All.Select(i => $"{WithoutRatio(i.Metric)} {i.Kind}"), ignoreOrder: true);
        var labels = SampleLine.Matches(exposed).Where(m => IsOurs(m.Groups[1].Value)).ToLookup(
            m => m.Groups[1].Value, m => LabelName.Matches(m.Groups[2].Value).Select(l => l.Groups[1].Value));
        foreach (var instrument in PrometheusInstrument.All)
        {
            foreach (string series in instrument.Series.Select(WithoutRatio))
            {
                labels[series].SelectMany(l => l).Distinct().Except(["le"]).ShouldBe(instrument.Labels, ignoreOrder: true, series);
                labels[series].Any(l => l.Contains("le")).ShouldBe(series.EndsWith("_bucket", StringComparison.Ordinal));
            }
        }
    }

    private static IHost Application(Uri server)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddHttpResilienceStorage(s => s.UseInMemory()).AddDeadLetterReplay().AddHttpResilienceOperations();
        builder.Services.AddResilientHttpClient(Name, o =>
        {
            Configure(o, server);
            o.Concurrency.Mode = ConcurrencyMode.Adaptive;
            o.Fallback.Enabled = true;
            o.RateLimiter = new() { Mode = LimitMode.Observe, TokenBucket = new() { TokenLimit = 1, TokensPerPeriod = 1 } };
        });
        return builder.Build();
    }

    /// <summary>An application whose letters and keys are lost, as the directory of its store does not exist.</summary>
    private static ServiceProvider WithoutStore(Uri server)
    {
        var services = new ServiceCollection();
        services.AddHttpResilienceStorage(s => s.UseSqlite("Data Source=/no-such-directory/letters.db"));
        services.AddResilientHttpClient(Name, o =>
        {
            Configure(o, server);
            o.Idempotency.RememberFor = TimeSpan.FromDays(1);
        });
        return services.BuildServiceProvider();
    }

    private static void Configure(HttpResilienceOptions options, Uri server)
    {
        (options.BaseAddress, options.DeadLetter.Enabled, options.Retry.MaxRetryAttempts) = (server, true, 1);
        options.Retry.Delay = TimeSpan.FromMilliseconds(1);
        options.CircuitBreaker.FailureThreshold = int.MaxValue;
        options.CircuitBreaker.FailureRatio = null;
    }

    private static async Task UseAsync(IServiceProvider services, Uri server)
    {
        using var client = services.GetRequiredService<IHttpClientFactory>().CreateClient(Name);
        (await client.GetAsync("/page", Token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.GetAsync("/page", Token)).GetHttpCall()!.IsStale.ShouldBeTrue();
        var id = (await client.PostAsync("/down", new StringContent("x"), Token)).GetHttpCall()!.DeadLetterId.ShouldNotBeNull();
        await services.GetRequiredService<IDeadLetterReview>().SendAsync(id, "anna", Token);
        (await client.PostAsync("/quota", new StringContent("x"), Token)).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        services.GetRequiredService<ICircuits>().Isolate(Name, server);
    }

    private Task RespondAsync(HttpContext context) => context.Request.Path.Value switch
    {
        "/page" when Interlocked.Increment(ref _pages) == 1 => Reply.Ok()(context),
        "/quota" => Reply.With(429, "", ("Retry-After", "3600"))(context),
        _ => Reply.Unavailable(context),
    };

    private static string WithoutRatio(string metric) => metric.Replace("_ratio", "", StringComparison.Ordinal);

    private static bool IsOurs(string metric) => metric.StartsWith("http_client_resilience_", StringComparison.Ordinal);

    // Letters are counted in the background after the start.
    private static async Task<string> ScrapeAsync(int port)
    {
        using var http = new HttpClient();
        string text = "";
        var address = new Uri($"http://localhost:{port}/metrics");
        await Eventually.BeAsync(() => (text = http.GetStringAsync(address, Token).GetAwaiter().GetResult())
            .Contains("http_client_resilience_dead_letters{", StringComparison.Ordinal));
        return text;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [GeneratedRegex("^# TYPE ([a-z0-9_]+) ([a-z]+)", RegexOptions.Multiline)]
    private static partial Regex TypeLine { get; }

    [GeneratedRegex(@"^([a-z0-9_]+)(?:\{(.*)\})? \S+", RegexOptions.Multiline)]
    private static partial Regex SampleLine { get; }

    [GeneratedRegex(@"([a-z_]+)=""(?:[^""\\]|\\.)*""")]
    private static partial Regex LabelName { get; }
}
