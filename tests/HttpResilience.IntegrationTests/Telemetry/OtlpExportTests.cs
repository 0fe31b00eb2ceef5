using System.Diagnostics;
using System.Globalization;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace HttpResilience.IntegrationTests.Telemetry;

/// <summary>What an OpenTelemetry collector receives from the real SDK and exporter.</summary>
public sealed class OtlpExportTests
{
    private const string Application = "HttpResilience.IntegrationTests.Application";

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task Metrics_of_a_call_and_of_its_attempts_arrive(Mode mode)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var server = await KestrelServer.StartAsync(
            Reply.Unavailable, Reply.Unavailable, Reply.Ok(), Reply.With(429, "", ("Retry-After", "3600")));
        using var metrics = Sdk.CreateMeterProviderBuilder()
            .AddMeter("HttpResilience", "System.Net.Http").AddOtlpExporter(o => Export(o, receiver.Metrics)).Build();
        await using var client = new ResilientClientUnderTest(server.Uri);

        (await client.Client.SendAsync(mode, Sending.Post())).Dispose();
        (await client.Client.SendAsync(mode, Sending.Post())).Dispose();
        await client.Client.FailAsync<RateLimitedException>(mode, Sending.Post());
        client.Get<ICircuits>().Isolate(ResilientClientUnderTest.Name, server.Uri);
        await client.Client.FailAsync<CircuitOpenException>(mode, Sending.Post());
        metrics.ForceFlush().ShouldBeTrue();

        var points = receiver.Points.Where(p => p.Tags.GetValueOrDefault("server.port") == Port(server)).ToList();
        points.Where(p => p.Metric == "http.client.request.duration").Select(
            p => (p.Scope, p.Count, Tag(p, "http.response.status_code"), Tag(p, "http.request.resend_count")))
            .ShouldBe(
                [
                    ("System.Net.Http", 1, "503", null), ("System.Net.Http", 1, "503", "1"), ("System.Net.Http", 1, "200", "2"),
                    ("System.Net.Http", 1, "429", null),
                ],
                ignoreOrder: true);

        // The SDK sorts the tags.
        string of = "http.resilience.client=test";
        string host = $"server.address=127.0.0.1 server.port={Port(server)}";
        string post = $"http.request.method=POST {of}";
        string ok = $"{post} http.resilience.stop_reason=Succeeded http.response.status_code=200 {host}";
        string refused = $"error.type=429 {post} http.resilience.stop_reason=RetryAfterTooLong http.response.status_code=429 {host}";
        string paused = $"error.type=HttpResilience.RateLimitedException {post} http.resilience.stop_reason=RateLimited {host}";
        string isolated = $"error.type=HttpResilience.CircuitOpenException {post} http.resilience.stop_reason=CircuitOpen {host}";
        var own = points.Where(p => p.Scope == "HttpResilience").ToList();
        own.Where(p => p.Metric != "http.client.resilience.call.duration")
            .Select(p => $"{p.Metric["http.client.resilience.".Length..]} {p.Unit}: "
                + $"{p.Count} {p.Sum} {string.Join(' ', p.Tags.Select(t => $"{t.Key}={t.Value}"))}").ShouldBe(
                [
                    $"attempts {{attempt}}: 1 3 {ok}", $"attempts {{attempt}}: 1 1 {refused}", $"attempts {{attempt}}: 1 0 {paused}",
                    $"attempts {{attempt}}: 1 0 {isolated}",
                    $"retries {{retry}}: 2 2 error.type=503 {post} {host}",
                    $"pauses {{pause}}: 1 1 {of} http.response.status_code=429 {host}",
                    $"circuit.transitions {{transition}}: 1 1 http.resilience.circuit.scope=authority "
                        + $"http.resilience.circuit.state=isolated {of} {host}",
                    $"circuit.state : 3 3 {of} {host}",
                ],
                ignoreOrder: true);
        var durations = own.Where(p => p.Metric == "http.client.resilience.call.duration").ToList();
        durations.Select(p => (p.Unit, p.Count, Tag(p, "http.resilience.stop_reason")))
            .ShouldBe([("s", 1, "Succeeded"), ("s", 1, "RetryAfterTooLong"), ("s", 1, "RateLimited"), ("s", 1, "CircuitOpen")],
                ignoreOrder: true);
        // There are two waits of 10 ms between the attempts.
        durations.Single(p => Tag(p, "http.resilience.stop_reason") == "Succeeded").Sum.ShouldBeInRange(
            0.02, ResilientClientUnderTest.Hang.TotalSeconds);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task Spans_of_a_call_and_of_its_attempts_arrive(Mode mode)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable, Reply.Unavailable, Reply.Ok(), Reply.Ok());
        using var application = new ActivitySource(Application);
        using var traces = Sdk.CreateTracerProviderBuilder().AddSource("HttpResilience", "System.Net.Http", Application)
            .AddOtlpExporter(o => Export(o, receiver.Traces)).Build();
        await using var client = new ResilientClientUnderTest(server.Uri);

        string traceId, parentId;
        using (var parent = application.StartActivity("the application's work")!)
        {
            (traceId, parentId) = (parent.TraceId.ToHexString(), parent.SpanId.ToHexString());
            (await client.Client.SendAsync(mode, Sending.Post())).Dispose();
            Activity.Current.ShouldBe(parent);
            (await client.Client.SendAsync(mode, Sending.Get())).Dispose();
        }

        traces.ForceFlush().ShouldBeTrue();

        var spans = receiver.Spans.Where(s => s.TraceId == traceId).ToList();
        var call = spans.Where(s => s.Scope == "HttpResilience").ShouldHaveSingleItem();
        var attempts = spans.Where(s => s.Scope == "System.Net.Http").OrderBy(s => s.Start).ToList();
        attempts.Select(s => (s.Name, s.ParentId, s.Tags.GetValueOrDefault("http.request.resend_count"))).ShouldBe(
            [("POST", parentId, null), ("POST", call.Id, "1"), ("POST", call.Id, "2"), ("GET", parentId, null)]);
        (call.Name, call.Kind, call.ParentId, call.Status).ShouldBe(("POST test", 1, parentId, 0));
        call.Links.ShouldBe([attempts[0].Id]);
        call.Start.ShouldBeLessThanOrEqualTo(attempts[0].Start);
        call.End.ShouldBeGreaterThanOrEqualTo(attempts[2].End);
        call.Tags.ShouldBe(
            [
                new("http.resilience.client", "test"), new("server.address", "127.0.0.1"), new("server.port", Port(server)),
                new("http.request.method", "POST"),
                new("http.response.status_code", "200"), new("http.resilience.stop_reason", "Succeeded"),
                new("http.resilience.attempts", "3"),
            ],
            ignoreOrder: true);
    }

    private static void Export(OtlpExporterOptions options, Uri endpoint)
    {
        options.Protocol = OtlpExportProtocol.HttpProtobuf;
        options.Endpoint = endpoint;
    }

    private static string Port(KestrelServer server) => server.Uri.Port.ToString(CultureInfo.InvariantCulture);

    private static string? Tag(OtlpPoint point, string name) => point.Tags.GetValueOrDefault(name);
}
