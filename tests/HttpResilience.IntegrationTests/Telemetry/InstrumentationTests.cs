using System.Diagnostics;
using System.Globalization;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace HttpResilience.IntegrationTests.Telemetry;

/// <summary>What <c>AddHttpResilienceInstrumentation</c> collects, with the real SDK.</summary>
public sealed class InstrumentationTests
{
    /// <summary>Set-ups that differ in order and number of the same calls: all collect the same.</summary>
    public enum Setup
    {
        Once, Twice, BeforeThePlatform, AfterThePlatform,
    }

    [Theory, InlineData(Setup.Once), InlineData(Setup.Twice), InlineData(Setup.BeforeThePlatform), InlineData(Setup.AfterThePlatform)]
    public async Task A_call_gives_its_metrics_once(Setup setup)
    {
        List<MetricSnapshot> exported = [];
        var builder = Sdk.CreateMeterProviderBuilder();
        using var metrics = (setup switch
        {
            Setup.Once => builder.AddHttpResilienceInstrumentation(),
            Setup.Twice => builder.AddHttpResilienceInstrumentation().AddHttpResilienceInstrumentation(),
            Setup.BeforeThePlatform => builder.AddHttpResilienceInstrumentation().AddHttpClientInstrumentation(),
            _ => builder.AddHttpClientInstrumentation().AddHttpResilienceInstrumentation(),
        }).AddInMemoryExporter(exported).Build();
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable, Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);

        (await client.Client.SendAsync(Sending.Post(), TestContext.Current.CancellationToken)).Dispose();
        metrics.ForceFlush().ShouldBeTrue();

        string port = server.Uri.Port.ToString(CultureInfo.InvariantCulture);
        var points = exported.SelectMany(m => m.MetricPoints.Select(p => (Metric: m, Point: p)))
            .Where(p => TagOf(p.Point, "server.port") == port).ToList();
        points.Where(p => p.Metric.MeterName == "HttpResilience").Select(p => $"{p.Metric.Name} {SumOf(p.Metric, p.Point)}")
            .Where(p => !p.StartsWith("http.client.resilience.call.duration", StringComparison.Ordinal)).ShouldBe(
                [
                    "http.client.resilience.attempts 1 of 2", "http.client.resilience.retries 1", "http.client.resilience.circuit.state 0",
                ],
                ignoreOrder: true);
        points.Where(p => p.Metric.Name == "http.client.resilience.call.duration").ShouldHaveSingleItem()
            .Point.GetHistogramCount().ShouldBe(1);
        points.Count(p => p.Metric.Name == "http.client.request.duration").ShouldBe(IsWithPlatform(setup) ? 2 : 0);
        exported.Select(m => m.MeterName).Distinct().Except(["HttpResilience", "System.Net.Http", "System.Net.NameResolution"])
            .ShouldBeEmpty();
    }

    [Theory, InlineData(Setup.Once), InlineData(Setup.Twice), InlineData(Setup.BeforeThePlatform), InlineData(Setup.AfterThePlatform)]
    public async Task A_call_gives_its_span_once(Setup setup)
    {
        List<Activity> exported = [];
        var builder = Sdk.CreateTracerProviderBuilder();
        using var traces = (setup switch
        {
            Setup.Once => builder.AddHttpResilienceInstrumentation(),
            Setup.Twice => builder.AddHttpResilienceInstrumentation().AddHttpResilienceInstrumentation(),
            Setup.BeforeThePlatform => builder.AddHttpResilienceInstrumentation().AddHttpClientInstrumentation(),
            _ => builder.AddHttpClientInstrumentation().AddHttpResilienceInstrumentation(),
        }).AddInMemoryExporter(exported).Build();
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable, Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);

        (await client.Client.SendAsync(Sending.Post(), TestContext.Current.CancellationToken)).Dispose();
        traces.ForceFlush().ShouldBeTrue();

        var spans = exported.Where(a => Equals(a.GetTagItem("server.port"), server.Uri.Port)).ToList();
        var call = spans.Where(a => a.Source.Name == "HttpResilience").ShouldHaveSingleItem();
        call.DisplayName.ShouldBe("POST test");
        var attempts = spans.Where(a => a.Source.Name == "System.Net.Http").OrderBy(a => a.StartTimeUtc).ToList();
        if (!IsWithPlatform(setup))
        {
            attempts.ShouldBeEmpty();
            return;
        }

        attempts.Select(a => (a.ParentSpanId == call.SpanId, a.GetTagItem("http.request.resend_count")))
            .ShouldBe([(false, null), (true, 1)]);
        call.Links.ShouldHaveSingleItem().Context.SpanId.ShouldBe(attempts[0].SpanId);
    }

    [Fact]
    public void Without_a_builder_it_throws()
    {
        Should.Throw<ArgumentNullException>(() => ((MeterProviderBuilder)null!).AddHttpResilienceInstrumentation());
        Should.Throw<ArgumentNullException>(() => ((TracerProviderBuilder)null!).AddHttpResilienceInstrumentation());
    }

    private static bool IsWithPlatform(Setup setup) => setup is Setup.BeforeThePlatform or Setup.AfterThePlatform;

    private static string SumOf(MetricSnapshot metric, MetricPoint point) => metric.MetricType switch
    {
        MetricType.Histogram => $"{point.GetHistogramCount()} of {point.GetHistogramSum()}",
        MetricType.LongGauge => $"{point.GetGaugeLastValueLong()}",
        MetricType.LongSum => $"{point.GetSumLong()}",
        var type => $"{type}",
    };

    private static string? TagOf(MetricPoint point, string name)
    {
        foreach (var tag in point.Tags)
        {
            if (tag.Key == name)
                return Convert.ToString(tag.Value, CultureInfo.InvariantCulture);
        }

        return null;
    }
}
