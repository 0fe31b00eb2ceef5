using Microsoft.Extensions.DependencyInjection;
using Polly;
using Outcome = Polly.Outcome;

namespace HttpResilience.Tests.Polly;

public sealed class AddPollyHandlerTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task The_pipeline_runs_once_per_attempt_with_the_call_at_hand(bool async)
    {
        var seen =
            new List<(HttpCall? Call, HttpRequestMessage? Request, HttpRequestMessage? ByMicrosoftsName, int Attempts, bool CanEnd)>();
        using var chain = WithStrategy(context =>
        {
            context.Properties.TryGetValue(new ResiliencePropertyKey<HttpRequestMessage>("Resilience.Http.RequestMessage"), out var byName);
            seen.Add((context.GetHttpCall(), context.GetHttpRequest(), byName, context.GetHttpCall()!.Attempts.Count,
                context.CancellationToken.CanBeCanceled));
        });
        var wentOutAsync = new List<bool>();
        Reply Noted(int status) => (clock, isAsync, cancellationToken) =>
        {
            wentOutAsync.Add(isAsync);
            return Replies.Status(status)(clock, isAsync, cancellationToken);
        };
        chain.Server.Script(Noted(503), Noted(200));
        using var request = Chain.Get();

        using var response = await chain.SendAsync(async, request);

        var call = response.GetHttpCall();
        seen.ShouldBe([(call, request, request, 0, true), (call, request, request, 1, true)]);
        wentOutAsync.ShouldBe([async, async]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_pipeline_may_answer_itself(bool async)
    {
        using var chain = new Chain(client: builder => builder.AddPollyHandler("fallback", pipeline => pipeline.AddFallback(new()
        {
            ShouldHandle = args => new(args.Outcome.Result?.StatusCode is System.Net.HttpStatusCode.NotFound),
            FallbackAction = args => Outcome.FromResultAsValueTask(new HttpResponseMessage(System.Net.HttpStatusCode.NoContent)),
        })));
        chain.Server.Script(Replies.Status(404));

        using var response = await chain.GetAsync(async);

        response.StatusCode.ShouldBe(System.Net.HttpStatusCode.NoContent);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
    }

    [Fact]
    public void The_handler_stands_where_it_was_added()
    {
        using var chain = new Chain(client: builder => builder
            .AddHttpMessageHandler(() => new Marker())
            .AddPollyHandler("mine", _ => { })
            .AddHttpMessageHandler(() => new Marker()));

        var handlers = Chain.BuildHandlers(chain.Services).AdditionalHandlers.Select(h => h.GetType()).ToList();

        handlers[^4..].ShouldBe([typeof(CircuitBreakerHandler), typeof(Marker), typeof(PollyHandler), typeof(Marker)]);
    }

    [Fact]
    public async Task The_pipeline_is_built_once_and_outlives_the_handlers()
    {
        int built = 0;
        int executed = 0;
        using var chain = new Chain(client: builder => builder.AddPollyHandler("mine", pipeline =>
        {
            built++;
            pipeline.AddStrategy(_ => new RecordingStrategy(_ => executed++));
        }));

        for (int rotation = 0; rotation < 3; rotation++)
        {
            using var client = new HttpMessageInvoker(Chain.BuildHandlers(chain.Services).Build());
            using var response = await client.SendAsync(new(HttpMethod.Get, "https://api.test/"), TestContext.Current.CancellationToken);
        }

        (built, executed).ShouldBe((1, 3));
    }

    [Fact]
    public void Each_client_has_a_pipeline_of_its_own()
    {
        var built = new List<string?>();
        using var chain = new Chain(services: services => services
            .ConfigureHttpClientDefaults(defaults => defaults.AddPollyHandler("mine", pipeline => built.Add(pipeline.InstanceName)))
            .AddHttpClient("other"));

        foreach (string name in new[] { Chain.Name, "other", Chain.Name })
            Chain.BuildHandlers(chain.Services, name);

        built.ShouldBe([Chain.Name, "other"]);
    }

    [Fact]
    public void Two_pipelines_of_one_name_are_two()
    {
        int first = 0;
        int second = 0;
        using var chain =
            new Chain(client: builder => builder.AddPollyHandler("mine", _ => first++).AddPollyHandler("mine", _ => second++));

        Chain.BuildHandlers(chain.Services).AdditionalHandlers.Count(h => h is PollyHandler).ShouldBe(2);

        (first, second).ShouldBe((1, 1));
    }

    [Fact]
    public void The_pipeline_can_be_built_with_services_that_outlive_the_handler()
    {
        IServiceProvider? given = null;
        using var chain = new Chain(client: builder => builder.AddPollyHandler("mine", (services, pipeline) =>
        {
            given = services;
            pipeline.Name.ShouldBe("mine");
        }));

        Chain.BuildHandlers(chain.Services);

        given.ShouldNotBeNull().GetRequiredService<TimeProvider>().ShouldBeSameAs(chain.Clock);
        given.GetRequiredService<IServiceScopeFactory>().ShouldBeSameAs(chain.Services.GetRequiredService<IServiceScopeFactory>());
    }

    [Fact]
    public async Task The_handler_needs_no_chain()
    {
        var seen = new List<(HttpRequestMessage?, HttpCall?)>();
        var services = new ServiceCollection();
        services.AddHttpClient("plain")
            .AddPollyHandler(
                "mine", pipeline => pipeline.AddStrategy(_ => new RecordingStrategy(c => seen.Add((c.GetHttpRequest(), c.GetHttpCall())))))
            .ConfigurePrimaryHttpMessageHandler(() => new FaultScript());
        using var provider = services.BuildServiceProvider();
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.test/");

        using var response = await provider.GetRequiredService<IHttpClientFactory>().CreateClient("plain").SendAsync(
            request, TestContext.Current.CancellationToken);

        seen.ShouldBe([(request, null)]);
    }

    [Fact]
    public void A_context_of_something_else_knows_of_no_call()
    {
        var context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);

        (context.GetHttpCall(), context.GetHttpRequest()).ShouldBe((null, null));

        ResilienceContextPool.Shared.Return(context);
    }

    [Fact]
    public void A_name_and_a_pipeline_are_needed()
    {
        var builder = new ServiceCollection().AddHttpClient("api");

        Should.Throw<ArgumentException>(() => builder.AddPollyHandler(" ", _ => { }));
        Should.Throw<ArgumentNullException>(
            () => builder.AddPollyHandler("x", (Action<ResiliencePipelineBuilder<HttpResponseMessage>>)null!));
        Should.Throw<ArgumentNullException>(
            () => builder.AddPollyHandler("x", (Action<IServiceProvider, ResiliencePipelineBuilder<HttpResponseMessage>>)null!));
    }

    private static Chain WithStrategy(Action<ResilienceContext> record) =>
        new(client: builder => builder.AddPollyHandler("mine", pipeline => pipeline.AddStrategy(_ => new RecordingStrategy(record))));

    private sealed class Marker : DelegatingHandler;
}
