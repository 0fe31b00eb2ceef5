using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Alerts;

/// <summary>Delivery of alerts over real sockets to a webhook that works, is down, hangs or fails, while calls continue.</summary>
public sealed class WebhookTests : IAsyncLifetime
{
    private const string Client = "invoices";
    private const string Token = "T0K3N-of-the-webhook";
    private const string Secret = "whsec_c2VjcmV0LW9mLXRoZS13ZWJob29rLTI0Yg==";
    private const string PreviousSecret = "secret-of-the-webhook-before";

    // Of 200 calls on a busy machine. A call that waited for the receiver would take a second at least.
    private static readonly TimeSpan Undelayed = TimeSpan.FromSeconds(40);

    private readonly LogCollector _log = new();
    private readonly SqliteTestDatabase _database = new();
    private readonly int _port = Ports.Closed();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_alert_and_its_end_are_delivered_signed_each_with_its_own_key()
    {
        await using var receiver = await ReceiverAsync(Reply.Ok());
        await using var api = await KestrelServer.StartAsync(Fail, Fail, Fail, Fail, Fail, Reply.Ok());
        using var host = await StartAsync(api);

        await CallAsync(host, 5);
        await Eventually.BeAsync(() => receiver.Requests.Count == 1);
        await CallAsync(host, 1);
        await Eventually.BeAsync(() => receiver.Requests.Count == 2);

        var alerts = receiver.Requests.Select(AlertOf).ToList();
        alerts.Select(a => a.Phase).ShouldBe([AlertPhase.Started, AlertPhase.Ended]);
        alerts[0].ClientName.ShouldBe(Client);
        alerts[1].Id.ShouldBe(alerts[0].Id);
        receiver.Requests.Select(r => r.Key).ShouldBe([$"{alerts[0].Id}-1", $"{alerts[0].Id}-2"]);
        receiver.Requests.ShouldAllBe(r =>
            r.Method == "POST" && r.Target == $"/services/{Token}?x=1" && r.Headers["Content-Type"] == "application/json; charset=utf-8");
        foreach (var request in receiver.Requests)
            IsSignedNow(request).ShouldBeTrue();
        await host.StopAsync(Cancelled);
        NothingIsTold();
    }

    [Fact]
    public async Task A_receiver_that_is_down_delays_no_call_and_gets_each_alert_once_afterwards()
    {
        await using var api = await KestrelServer.StartAsync(Fail, Fail, Fail, Fail, Fail, Reply.Ok());
        using var host = await StartAsync(api);

        await CallAsync(host, 5);
        await Eventually.BeAsync(() => _log.Lines.Any(l => l.EventId == 704));
        (await TimeOfAsync(host, 200)).ShouldBeLessThan(Undelayed);
        await using var receiver = await ReceiverAsync(Reply.Ok());
        await Eventually.BeAsync(() => receiver.Requests.Count == 2);
        await host.StopAsync(Cancelled);

        receiver.Requests.Select(r => AlertOf(r).Phase).ShouldBe([AlertPhase.Started, AlertPhase.Ended]);
        _log.Lines.Count(l => l.EventId == 704).ShouldBe(1);
        _log.Lines.Count(l => l.EventId == 708).ShouldBe(1);
        NothingIsTold();
    }

    [Fact]
    public async Task A_receiver_that_answers_500_gets_the_alert_again_with_the_same_key_until_it_accepts()
    {
        var taken = new ConcurrentBag<string>();
        await using var receiver = await ReceiverAsync(Fail, Fail, Fail, Fail, async context =>
        {
            taken.Add((await Reply.ReadAsync(context)).Key!);
            context.Response.StatusCode = 200;
        });
        await using var api = await KestrelServer.StartAsync(Fail);
        using var host = await StartAsync(api);

        await CallAsync(host, 5);
        await Eventually.BeAsync(() => !taken.IsEmpty);
        await host.StopAsync(Cancelled);

        taken.Count.ShouldBe(1);
        receiver.Requests.Select(r => (r.Key, r.Headers["webhook-id"])).Distinct().ShouldHaveSingleItem();
        receiver.Requests.Count.ShouldBe(5);
        NothingIsTold();
    }

    [Fact]
    public async Task A_receiver_that_hangs_delays_neither_calls_nor_other_sinks()
    {
        await using var receiver = await ReceiverAsync(Reply.Silence);
        await using var api = await KestrelServer.StartAsync(Fail, Fail, Fail, Fail, Fail, Reply.Ok());
        var sink = new Sink();
        using var host = await StartAsync(api, services: s => s.AddSingleton<IAlertSink>(sink));

        await CallAsync(host, 5);
        await Eventually.BeAsync(() => receiver.Requests.Count == 1);
        (await TimeOfAsync(host, 200)).ShouldBeLessThan(Undelayed);
        await Eventually.BeAsync(() => sink.Taken.Count == 2);

        sink.Taken.Select(a => a.Phase).ShouldBe([AlertPhase.Started, AlertPhase.Ended]);
        var watch = Stopwatch.StartNew();
        await host.StopAsync(Cancelled);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(15));
        NothingIsTold();
    }

    [Fact]
    public async Task An_undeliverable_alert_is_a_dead_letter_without_secrets_that_the_worker_delivers_once()
    {
        await using var api = await KestrelServer.StartAsync(Fail);
        using var host = await StartAsync(
            api, services: s => _database.AddTo(s).AddDeadLetterReplay(), configure: o => o.Retry.MaxRetryAttempts = 0);
        var review = host.Services.GetRequiredService<IDeadLetterReview>();

        await CallAsync(host, 5);
        await Eventually.BeAsync(() => _log.Lines.Any(l => l.EventId == 707));
        var letter = (await review.ListAsync(new(), Cancelled)).ShouldHaveSingleItem();
        (letter.ClientName, letter.Status).ShouldBe((AlertClient.Name, DeadLetterStatus.Pending));
        (await DumpAsync()).ShouldContain("http-resilience-alert");
        foreach (string secret in new[] { Token, Secret, PreviousSecret, "v1=", "v1," })
            (await DumpAsync()).ShouldNotContain(secret);

        await using var receiver = await ReceiverAsync(Reply.Ok());
        await review.ReplayAsync(letter.Id, "alice", Cancelled);
        await Eventually.BeAsync(
            () => review.FindAsync(letter.Id, Cancelled).GetAwaiter().GetResult()!.Status == DeadLetterStatus.Replayed);
        await Task.Delay(TimeSpan.FromSeconds(3), Cancelled);
        await host.StopAsync(Cancelled);

        var request = receiver.Requests.ShouldHaveSingleItem();
        (AlertOf(request).Phase, request.Target, request.Key).ShouldBe(
            (AlertPhase.Started, $"/services/{Token}?x=1", letter.IdempotencyKey));
        IsSignedNow(request).ShouldBeTrue();
        NothingIsTold();
    }

    [Fact]
    public async Task An_alert_pending_when_the_host_stops_is_a_dead_letter_that_the_next_process_delivers_once()
    {
        await using var api = await KestrelServer.StartAsync(Fail);
        // Without a worker the alert stays in the queue and is retried until the host stops.
        using (var host = await StartAsync(api, services: s => _database.AddTo(s)))
        {
            await CallAsync(host, 5);
            await Eventually.BeAsync(() => _log.Lines.Any(l => l.EventId == 704));
            await host.StopAsync(new CancellationToken(canceled: true));
        }

        _log.Lines.Count(l => l.EventId == 712).ShouldBe(1);
        (await DumpAsync()).ShouldNotContain(Token);
        await using var receiver = await ReceiverAsync(Reply.Ok());
        using var next = await StartAsync(api, services: s => _database.AddTo(s).AddDeadLetterReplay());
        await Eventually.BeAsync(() => receiver.Requests.Count == 1);
        var review = next.Services.GetRequiredService<IDeadLetterReview>();
        await Eventually.BeAsync(
            () => review.ListAsync(new(), Cancelled).GetAwaiter().GetResult() is [{ Status: DeadLetterStatus.Replayed }]);
        await next.StopAsync(Cancelled);

        var request = receiver.Requests.ShouldHaveSingleItem();
        var alert = AlertOf(request);
        (alert.Phase, request.Target, request.Key).ShouldBe((AlertPhase.Started, $"/services/{Token}?x=1", $"{alert.Id}-1"));
        IsSignedNow(request).ShouldBeTrue();
        NothingIsTold();
    }

    [Fact]
    public async Task A_failing_webhook_raises_no_alert()
    {
        await using var receiver = await ReceiverAsync(Fail);
        await using var api = await KestrelServer.StartAsync(Fail);
        using var host = await StartAsync(api, configure: o => o.Retry.Delay = TimeSpan.FromMilliseconds(1));

        await CallAsync(host, 5);
        await Eventually.BeAsync(() => receiver.Requests.Count >= 9);
        await host.StopAsync(Cancelled);

        _log.Lines.Where(l => l.EventId is 701 or 702 or 703).ShouldHaveSingleItem()["ClientName"].ShouldBe(Client);
        _log.Lines.Where(l => l.Level >= LogLevel.Information && l.Text.Contains(AlertClient.Name, StringComparison.Ordinal))
            .ShouldBeEmpty();
    }

    [Fact]
    public async Task Spans_of_alerts_do_not_name_the_address()
    {
        var spans = new ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        await using var receiver = await ReceiverAsync(Reply.Ok());
        await using var api = await KestrelServer.StartAsync(Fail);
        using var host = await StartAsync(api);

        await CallAsync(host, 5);
        await Eventually.BeAsync(() => receiver.Requests.Count == 1);
        await host.StopAsync(Cancelled);

        // The receiver runs in this process and has spans of its own.
        spans.Where(s => s.Source.Name is "System.Net.Http" or "HttpResilience").SelectMany(s => s.TagObjects).ShouldAllBe(
            t => !$"{t.Value}".Contains(Token, StringComparison.Ordinal));
        spans.ShouldContain(s => s.Source.Name == "System.Net.Http");
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task A_receiver_of_HTTP_2_only_gets_HTTP_2_at_once_and_from_a_dead_letter()
    {
        await using var api = await KestrelServer.StartAsync(Fail);
        using var host = await StartAsync(
            api, services: s => _database.AddTo(s).AddDeadLetterReplay().AddHttpClient(AlertClient.Name).ConfigureHttpClient(c =>
                (c.DefaultRequestVersion, c.DefaultVersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact)),
            configure: o => o.Retry.MaxRetryAttempts = 0);
        await using var receiver = await KestrelServer.StartAsync(HttpProtocols.Http2, null, _port, [Fail, Reply.Ok()]);

        await CallAsync(host, 5);
        await Eventually.BeAsync(() => _log.Lines.Any(l => l.EventId == 707));
        var review = host.Services.GetRequiredService<IDeadLetterReview>();
        var letter = (await review.ListAsync(new(), Cancelled)).ShouldHaveSingleItem();
        var after = await review.SendAsync(letter.Id, "alice", Cancelled);
        await host.StopAsync(Cancelled);

        (letter.HttpVersion, after.Status).ShouldBe((HttpVersion.Version20, DeadLetterStatus.Replayed));
        receiver.Count.ShouldBe(2);
    }

    private static RequestDelegate Fail => Reply.With(500, "no");

    private Task<KestrelServer> ReceiverAsync(params RequestDelegate[] steps) =>
        KestrelServer.StartAsync(HttpProtocols.Http1, null, _port, steps);

    private async Task<IHost> StartAsync(
        KestrelServer api, Action<IServiceCollection>? services = null, Action<HttpResilienceOptions>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["HttpResilience:Alerts:Webhooks:0:Url"] = $"http://127.0.0.1:{_port}/services/{Token}?x=1",
            ["HttpResilience:Alerts:Webhooks:0:Format"] = "Json",
            ["HttpResilience:Alerts:Webhooks:0:Secret"] = Secret,
            ["HttpResilience:Alerts:Webhooks:0:PreviousSecret"] = PreviousSecret,
            ["HttpResilience:Alerts:Rules:0:Type"] = "ConsecutiveFailures",
            // Even with factory logging on for all clients, whose lines would contain the address.
            ["HttpResilience:Defaults:Logging:KeepFactoryLogging"] = "true",
        });
        builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(_log);
        builder.Services.AddResilientHttpClient(Client, o => (o.Retry.MaxRetryAttempts, o.CircuitBreaker.BreakDuration) = (0, null))
            .ConfigureHttpClient(c => c.BaseAddress = api.Uri);
        builder.Services.AddHttpResilienceOperations();
        services?.Invoke(builder.Services);
        if (configure is not null)
            builder.Services.Configure(AlertClient.Name, configure);
        var host = builder.Build();
        await host.StartAsync(Cancelled);
        return host;
    }

    private static async Task CallAsync(IHost host, int count)
    {
        var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(Client);
        for (int i = 0; i < count; i++)
            (await client.GetAsync(new Uri("invoices", UriKind.Relative), Cancelled)).Dispose();
    }

    private static async Task<TimeSpan> TimeOfAsync(IHost host, int calls)
    {
        var watch = Stopwatch.StartNew();
        await CallAsync(host, calls);
        return watch.Elapsed;
    }

    private static Alert AlertOf(ReceivedRequest request) => JsonSerializer.Deserialize(request.Body, AlertJson.Default.Alert)!;

    // The verification as written by a receiver that does not use this library.
    private static bool IsSignedNow(ReceivedRequest request)
    {
        var parts = request.Headers["X-HttpResilience-Signature"].Split(',').Select(p => p.Split('=')).ToDictionary(p => p[0], p => p[1]);
        byte[] signed = [.. Encoding.ASCII.GetBytes(parts["t"] + "."), .. request.Body];
        byte[] expected = HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), signed);
        return IsSignedByTheStandard(request, Convert.FromBase64String(Secret["whsec_".Length..]))
            && IsSignedByTheStandard(request, Encoding.UTF8.GetBytes(PreviousSecret))
            && parts["v1"] == Convert.ToHexStringLower(expected)
            && Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - long.Parse(parts["t"])) < 60;
    }

    // As the libraries of Standard Webhooks verify: one of the signatures is that of id, time and body.
    private static bool IsSignedByTheStandard(ReceivedRequest request, byte[] key)
    {
        byte[] signed =
            [.. Encoding.UTF8.GetBytes($"{request.Headers["webhook-id"]}.{request.Headers["webhook-timestamp"]}."), .. request.Body];
        string expected = $"v1,{Convert.ToBase64String(HMACSHA256.HashData(key, signed))}";
        return request.Headers["webhook-id"] == request.Key && request.Headers["webhook-signature"].Split(' ').Contains(expected);
    }

    private void NothingIsTold()
    {
        foreach (var line in _log.Lines)
        {
            string everything = line.Text + string.Join('|', line.Properties.Select(p => $"{p.Value}"));
            foreach (string secret in new[] { Token, Secret, PreviousSecret, "v1=", "v1," })
                everything.ShouldNotContain(secret);
        }
    }

    private async Task<string> DumpAsync()
    {
        var dump = new StringBuilder();
        foreach (string file in Directory.GetFiles(_database.Directory))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var bytes = new MemoryStream();
            await stream.CopyToAsync(bytes, Cancelled);
            dump.Append(Encoding.Latin1.GetString(bytes.ToArray()));
        }

        return dump.ToString();
    }

    private sealed class Sink : IAlertSink
    {
        internal ConcurrentQueue<Alert> Taken { get; } = new();

        public Task SendAsync(Alert alert, CancellationToken cancellationToken)
        {
            Taken.Enqueue(alert);
            return Task.CompletedTask;
        }
    }
}
