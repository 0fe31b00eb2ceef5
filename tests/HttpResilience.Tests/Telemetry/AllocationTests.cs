using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Telemetry;

/// <summary>While nobody listens, measuring allocates nothing.</summary>
[Collection(Alone.Name)]
public sealed class AllocationTests
{
    private const int Calls = 1000;

    [Fact]
    public void Telemetry_allocates_nothing_without_a_listener()
    {
        using var chain = new Chain();
        var client = chain.State;
        var meter = chain.Services.GetRequiredService<ResilienceMeter>();
        using var request = Chain.Get("https://api.test/");
        using var response = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
        var call = HttpCall.Open(request, client);
        call.Record(AttemptResult.Success(200), null, 0, 0);
        var failure = FailureClassifier.Classify(response, keyed: false, chain.Clock.GetUtcNow());
        var host = new HostKey(new(request.RequestUri!), "comp1");
        void Everything()
        {
            meter.WillRetry(call, request, failure, exception: null);
            meter.CircuitMoved(client.Name, host, CircuitState.Open);
            meter.Paused(client.Name, host, 429);
            Resend.Begin(chain.Clock, meter, call, request);
            meter.CallEnded(call, request, response, exception: null);
            CallSpan.End(chain.Clock, call, request, response, exception: null);
        }

        Allocated(Everything).ShouldBe(0);

        // That the same is not free when somebody does listen shows that it was reached.
        using (var platform = new MeasurementCollector(chain.Services, "System.Net.Http"))
        using (var metrics = new MeasurementCollector(chain.Services))
        using (var spans = new SpanCollector())
        {
            Everything();
            metrics.All.Count.ShouldBe(5);
            spans.Ended.Count.ShouldBe(1);
        }
    }

    [Theory, InlineData(200), InlineData(503, 200)]
    public void A_listener_that_has_left_leaves_no_cost_behind(params int[] statuses)
    {
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(new ManualTimeProvider { SkipsWaits = true }).AddLogging();
        services.AddResilientHttpClient(Chain.Name, o => o.Retry.Budget.RetryRatio = null)
            .ConfigurePrimaryHttpMessageHandler(() => new Stub(statuses));
        using var provider = services.BuildServiceProvider();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient(Chain.Name);
        void Call()
        {
            using var request = Chain.Get("https://api.test/");
            client.Send(request).Dispose();
        }

        double before = Allocated(Call);
        double during;
        using (var metrics = new MeasurementCollector(provider))
        using (var spans = new SpanCollector())
            during = Allocated(Call);
        double after = Allocated(Call);

        TestContext.Current.SendDiagnosticMessage(
            $"{statuses.Length} attempts: {before} B per call, {during} B with listeners, {after} B without again");
        after.ShouldBe(before, tolerance: 1);
        during.ShouldBeGreaterThan(before + 8);
    }

    [Fact]
    public void The_platforms_metric_is_only_watched()
    {
        using var chain = new Chain();
        var factory = chain.Services.GetRequiredService<IMeterFactory>();
        var duration = factory.Create("System.Net.Http").CreateHistogram<double>("http.client.request.duration");
        var platform = chain.Services.GetRequiredService<ResilienceMeter>().PlatformDuration;

        (duration.Enabled, platform.IsEnabled).ShouldBe((false, false));
        using (new MeasurementCollector(chain.Services, "System.Net.Http"))
            platform.IsEnabled.ShouldBeTrue();
        platform.IsEnabled.ShouldBeFalse();
    }

    /// <summary>State of features that most calls do not need belongs into slots.</summary>
    [Fact]
    public void A_call_takes_112_bytes()
    {
        using var chain = new Chain();
        using var request = Chain.Get("https://api.test/");
        var call = HttpCall.Open(request, chain.State);

        Allocated(() => call.Branch(0, 0)).ShouldBe(112);
    }

    private static double Allocated(Action action)
    {
        for (int i = 0; i < Calls; i++)
            action();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Calls; i++)
            action();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / (double)Calls;
    }

    private sealed class Stub(params int[] statuses) : HttpMessageHandler
    {
        private int _sent;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(Send(request, cancellationToken));

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            new((HttpStatusCode)statuses[_sent++ % statuses.Length]);
    }
}
