using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net.Http.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.Telemetry;

/// <summary>
/// The resend count on the metric and the spans of the real <see cref="SocketsHttpHandler"/>, with hedged and redirected requests.
/// </summary>
public sealed class ResendCountTests : IDisposable
{
    private const string Name = "http.request.resend_count";

    private readonly ConcurrentQueue<(int Port, string Count)> _measured = new();
    private readonly ConcurrentQueue<(int Port, string Count)> _spans = new();
    private readonly MeterListener _meters = new();
    private readonly ActivityListener _activities;

    public ResendCountTests()
    {
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "http.client.request.duration")
                listener.EnableMeasurementEvents(instrument);
        };
        _meters.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            var all = tags.ToArray().ToLookup(t => t.Key, t => t.Value);
            _measured.Enqueue(((int)all["server.port"].Single()!, string.Join(' ', all[Name].Concat(all["mine"]))));
        });
        _meters.Start();
        _activities = new()
        {
            ShouldListenTo = source => source.Name == "System.Net.Http",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span => _spans.Enqueue(((int)span.GetTagItem("server.port")!, $"{span.GetTagItem(Name)}")),
        };
        ActivitySource.AddActivityListener(_activities);
    }

    [Fact]
    public async Task The_second_of_two_hedged_requests_has_the_resend_count()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Silence, Reply.Ok());
        await using var client = new ResilientClientUnderTest(
            server.Uri, o => (o.Hedging.Enabled, o.Hedging.Delay) = (true, TimeSpan.FromMilliseconds(50)));

        var request = Sending.Get();
        HttpMetricsEnrichmentContext.AddCallback(request, context => context.AddCustomTag("mine", "kept"));
        using var response = await client.Client.SendAsync(Mode.Async, request);

        response.ShouldHaveSucceeded(attempts: 2);
        await Eventually.BeAsync(() => Of(_measured, server).Length == 2 && Of(_spans, server).Length == 2);
        Of(_measured, server).ShouldBe(["kept", "1 kept"], ignoreOrder: true);
        Of(_spans, server).ShouldBe(["", "1"], ignoreOrder: true);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task The_callers_own_metric_enrichment_is_kept(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable, Reply.Unavailable, Reply.Unavailable, Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri, build: b => b.AddAttemptHandler(
            request => HttpMetricsEnrichmentContext.AddCallback(request, context => context.AddCustomTag("mine", "kept"))));

        using var response = await client.Client.SendAsync(mode, Sending.Get());

        Of(_measured, server).ShouldBe(["kept", "1 kept", "2 kept", "3 kept"]);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task The_factorys_primary_handler_puts_the_resend_count_on_metric_and_span(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable, Reply.Ok());
        var services = new ServiceCollection();
        services.AddResilientHttpClient("default", o => (o.BaseAddress, o.Retry.Delay) = (server.Uri, TimeSpan.FromMilliseconds(1)));
        await using var provider = services.BuildServiceProvider();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("default");

        using var response = await client.SendAsync(mode, Sending.Get());

        Of(_measured, server).ShouldBe(["", "1"]);
        Of(_spans, server).ShouldBe(["", "1"]);
    }

    [Fact]
    public async Task A_redirected_second_attempt_has_resend_count_one()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable, Reply.With(307, "", ("Location", "/there")), Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Get());

        Of(_spans, server).ShouldBe(["", "1", "1"]);
        Of(_measured, server).ShouldBe(["", "1", "1"]);
    }

    public void Dispose()
    {
        _meters.Dispose();
        _activities.Dispose();
    }

    private static string[] Of(IEnumerable<(int Port, string Count)> all, KestrelServer server) =>
        [.. all.Where(m => m.Port == server.Uri.Port).Select(m => m.Count)];
}
