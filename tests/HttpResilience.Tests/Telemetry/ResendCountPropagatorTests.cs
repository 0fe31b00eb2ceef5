using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Telemetry;

/// <summary>The way to the platform's span of an attempt, and onto which handlers it finds.</summary>
[Collection(Alone.Name)]
public sealed class ResendCountPropagatorTests
{
    [Theory, InlineData(0, null), InlineData(1, 1), InlineData(255, 255)]
    public void The_span_of_a_later_attempt_gets_its_number(int count, int? expected)
    {
        using var chain = new Chain();
        using var activity = new Activity("System.Net.Http.HttpRequestOut") { IsAllDataRequested = true }.Start();

        Inject(chain, activity, (byte)count);

        activity.GetTagItem("http.request.resend_count").ShouldBe(expected);
    }

    [Theory, InlineData("the application's own", true), InlineData("System.Net.Http.HttpRequestOut", false)]
    public void Other_spans_and_those_that_are_not_recorded_are_unchanged(string name, bool isKept)
    {
        using var chain = new Chain();
        using var activity = new Activity(name) { IsAllDataRequested = isKept }.Start();

        Inject(chain, activity, 1);

        activity.TagObjects.ShouldBeEmpty();
    }

    [Fact]
    public void Everything_else_is_the_propagators_own_work()
    {
        var inner = DistributedContextPropagator.CreateDefaultPropagator();
        var propagator = new ResendCountPropagator(inner);
        using var activity =
            new Activity("System.Net.Http.HttpRequestOut") { TraceStateString = "vendor=1" }.AddBaggage("customer", "7").Start();
        using var request = new HttpRequestMessage();
        Dictionary<string, string> Injected(DistributedContextPropagator by)
        {
            var headers = new Dictionary<string, string>();
            by.Inject(activity, request, (_, name, value) => headers[name] = value);
            return headers;
        }

        var headers = Injected(propagator);

        headers.Keys.ShouldContain("traceparent");
        headers.ShouldBe(Injected(inner));
        propagator.Fields.ShouldBe(inner.Fields);
        DistributedContextPropagator.PropagatorGetterCallback getter =
            (object? _, string name, out string? value, out IEnumerable<string>? values) =>
                (value, values) = (headers.GetValueOrDefault(name), null);
        propagator.ExtractTraceIdAndState(null, getter, out string? id, out string? state);
        (id, state).ShouldBe((activity.Id, "vendor=1"));
        propagator.ExtractBaggage(null, getter).ShouldBe(inner.ExtractBaggage(null, getter));
    }

    [Fact]
    public void The_factorys_own_primary_handler_is_observed()
    {
        var services = new ServiceCollection();
        services.AddResilientHttpClient(Chain.Name);
        using var provider = services.BuildServiceProvider();

        PropagatorOf(Chain.BuildHandlers(provider).PrimaryHandler).ShouldBeOfType<ResendCountPropagator>();
    }

    [Fact]
    public void A_client_without_the_chain_is_not_observed()
    {
        var services = new ServiceCollection();
        services.AddResilientHttpClient(Chain.Name);
        services.AddHttpClient("other");
        using var provider = services.BuildServiceProvider();

        PropagatorOf(Chain.BuildHandlers(provider, "other").PrimaryHandler).ShouldNotBeOfType<ResendCountPropagator>();
    }

    [Fact]
    public void A_handler_that_is_used_again_is_observed_once()
    {
        using var sockets = new SocketsHttpHandler();
        var own = sockets.ActivityHeadersPropagator;

        BuildOn(sockets);
        var first = sockets.ActivityHeadersPropagator.ShouldBeOfType<ResendCountPropagator>();
        BuildOn(sockets);

        sockets.ActivityHeadersPropagator.ShouldBe(first);
        own.ShouldNotBeNull();
    }

    [Fact]
    public void A_handler_behind_others_is_found()
    {
        using var sockets = new SocketsHttpHandler();

        BuildOn(new Wrapper { InnerHandler = new Wrapper { InnerHandler = sockets } });

        sockets.ActivityHeadersPropagator.ShouldBeOfType<ResendCountPropagator>();
    }

    [Fact]
    public void A_handler_that_propagates_nothing_goes_on_doing_so()
    {
        using var sockets = new SocketsHttpHandler { ActivityHeadersPropagator = null };

        BuildOn(sockets);

        sockets.ActivityHeadersPropagator.ShouldBeNull();
    }

    [Fact]
    public async Task A_handler_that_is_in_use_already_stays_as_it_is()
    {
        using var meters = new ServiceCollection().AddMetrics().BuildServiceProvider();
        // Without a meter factory of its own, the factory would refuse it.
        using var sockets = new SocketsHttpHandler { MeterFactory = meters.GetRequiredService<IMeterFactory>() };
        sockets.ConnectCallback = (_, _) => throw new IOException("no network here");
        var own = sockets.ActivityHeadersPropagator;
        using var invoker = new HttpMessageInvoker(sockets, disposeHandler: false);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://127.0.0.1:1/");
        await Assert.ThrowsAsync<HttpRequestException>(() => invoker.SendAsync(request, TestContext.Current.CancellationToken));
        Assert.Throws<InvalidOperationException>(() => sockets.UseCookies = false);

        BuildOn(sockets);

        sockets.ActivityHeadersPropagator.ShouldBe(own);
    }

    private static void Inject(Chain chain, Activity activity, byte count)
    {
        using var request = Chain.Get();
        HttpCall.Open(request, chain.State).ResendCount = count;
        new ResendCountPropagator(DistributedContextPropagator.CreateNoOutputPropagator()).Inject(activity, request, (_, _, _) => { });
    }

    private static DistributedContextPropagator? PropagatorOf(HttpMessageHandler primary) =>
        ((SocketsHttpHandler)primary).ActivityHeadersPropagator;

    private static void BuildOn(HttpMessageHandler primary)
    {
        using var chain = new Chain(client: b => b.ConfigurePrimaryHttpMessageHandler(() => primary));
        Chain.BuildHandlers(chain.Services);
    }

    private sealed class Wrapper : DelegatingHandler;
}
