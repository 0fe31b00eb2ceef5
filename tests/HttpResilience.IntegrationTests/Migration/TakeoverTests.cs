using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly;

#pragma warning disable EXTEXP0001 // RemoveAllResilienceHandlers is for evaluation, and in use.

namespace HttpResilience.IntegrationTests.Migration;

/// <summary><c>UseHttpResilience</c> puts the chain in the place of a standard handler, with its options.</summary>
public sealed class TakeoverTests : IAsyncDisposable
{
    private readonly ManualTimeProvider _time = new() { SkipsWaits = true };
    private readonly LogCollector _log = new();
    private readonly FaultScript _script;
    private IHost? _host;

    public TakeoverTests() => _script = new(_time);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Timeouts_attempts_and_waits_are_as_they_were_in_force()
    {
        var options = await OptionsOf(b => b.AddStandardResilienceHandler().UseHttpResilience());

        options.TotalRequestTimeout.Timeout.ShouldBe(TimeSpan.FromSeconds(30));
        options.AttemptTimeout.Timeout.ShouldBe(TimeSpan.FromSeconds(10));
        (options.Retry.MaxRetryAttempts, options.Retry.Delay, options.Retry.MaxDelay, options.Retry.BackoffType, options.Retry.UseJitter)
            .ShouldBe((3, TimeSpan.FromSeconds(2), null, BackoffType.Exponential, true));
    }

    [Fact]
    public async Task Circuit_and_limiter_have_the_defaults_of_the_chain_where_the_application_has_not_changed_them()
    {
        var options = await OptionsOf(b => b.AddStandardResilienceHandler().UseHttpResilience());
        var own = new HttpResilienceOptions();

        options.CircuitBreaker.ShouldBeEquivalentTo(own.CircuitBreaker);
        options.RateLimiter.ShouldBeNull();
    }

    [Fact]
    public async Task What_the_application_has_changed_is_taken_over()
    {
        var options = await OptionsOf(b => b.AddStandardResilienceHandler(o =>
        {
            o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(61);
            o.AttemptTimeout.Timeout = TimeSpan.FromSeconds(14);
            (o.Retry.MaxRetryAttempts, o.Retry.Delay, o.Retry.MaxDelay) = (5, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(9));
            (o.Retry.BackoffType, o.Retry.UseJitter, o.Retry.ShouldRetryAfterHeader) = (DelayBackoffType.Linear, false, false);
            (o.CircuitBreaker.FailureRatio, o.CircuitBreaker.MinimumThroughput) = (0.4, 12);
            (o.CircuitBreaker.SamplingDuration, o.CircuitBreaker.BreakDuration) = (TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(15));
            o.RateLimiter.DefaultRateLimiterOptions.PermitLimit = 20;
            o.RateLimiter.DefaultRateLimiterOptions.QueueLimit = 7;
        }).UseHttpResilience());

        (options.TotalRequestTimeout.Timeout, options.AttemptTimeout.Timeout)
            .ShouldBe((TimeSpan.FromSeconds(61), TimeSpan.FromSeconds(14)));
        (options.Retry.MaxRetryAttempts, options.Retry.Delay, options.Retry.MaxDelay)
            .ShouldBe((5, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(9)));
        (options.Retry.BackoffType, options.Retry.UseJitter, options.Retry.ShouldRetryAfterHeader)
            .ShouldBe((BackoffType.Linear, false, false));
        var circuit = options.CircuitBreaker;
        (circuit.FailureRatio, circuit.FailureThreshold, circuit.MinimumThroughput).ShouldBe((0.4, null, 12));
        (circuit.SamplingDuration, circuit.BreakDuration, circuit.MaxBreakDuration, circuit.MaxWait)
            .ShouldBe((TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(15), null));
        var limit = options.RateLimiter!.DefaultRateLimiterOptions!;
        (limit.PermitLimit, limit.QueueLimit).ShouldBe((20, 7));
    }

    [Fact]
    public async Task Without_its_generator_Retry_After_is_not_obeyed_as_before()
    {
        var options = await OptionsOf(b => b.AddStandardResilienceHandler(o => o.Retry.DelayGenerator = null).UseHttpResilience());

        options.Retry.ShouldRetryAfterHeader.ShouldBeFalse();
    }

    [Fact]
    public async Task Settings_and_code_of_the_chain_override_what_is_taken_over()
    {
        var options = await OptionsOf(
            b => b.AddStandardResilienceHandler(o =>
            {
                (o.Retry.MaxRetryAttempts, o.Retry.Delay) = (5, TimeSpan.FromSeconds(5));
                o.AttemptTimeout.Timeout = TimeSpan.FromSeconds(5);
            }).UseHttpResilience(o => o.Retry.Delay = TimeSpan.FromSeconds(7)),
            ("HttpResilience:Defaults:AttemptTimeout:Timeout", "00:00:06"), ("HttpResilience:Clients:orders:Retry:MaxRetryAttempts", "6"),
            ("HttpResilience:Clients:orders:Retry:Delay", "00:00:06"));

        (options.AttemptTimeout.Timeout, options.Retry.MaxRetryAttempts, options.Retry.Delay)
            .ShouldBe((TimeSpan.FromSeconds(6), 6, TimeSpan.FromSeconds(7)));
    }

    [Fact]
    public async Task A_section_is_taken_over_and_reloaded()
    {
        var monitor = await StartAsync(
            (services, configuration) => services.AddHttpClient("orders")
                .AddStandardResilienceHandler(configuration.GetSection("Orders")).UseHttpResilience(),
            ("Orders:Retry:MaxRetryAttempts", "2"));
        _ = Client();
        monitor.Get("orders").Retry.MaxRetryAttempts.ShouldBe(2);

        Set("Orders:Retry:MaxRetryAttempts", "1");
        monitor.Get("orders").Retry.MaxRetryAttempts.ShouldBe(1);

        // A value that Microsoft's package refuses is not in force here either; its own monitor throws.
        Should.Throw<AggregateException>(() => Set("Orders:Retry:MaxRetryAttempts", "-1"));
        monitor.Get("orders").Retry.MaxRetryAttempts.ShouldBe(1);
        Set("Orders:Retry:MaxRetryAttempts", "4");
        monitor.Get("orders").Retry.MaxRetryAttempts.ShouldBe(4);

        _script.Status(503);
        (await Client().GetAsync("https://orders.example.com/", Cancelled)).Dispose();
        _script.RequestCount.ShouldBe(5);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task The_handlers_of_all_clients_are_taken_over(bool hasOwn)
    {
        var monitor = await StartAsync((services, _) =>
        {
            services.ConfigureHttpClientDefaults(all => all.AddStandardResilienceHandler(
                o => (o.Retry.MaxRetryAttempts, o.CircuitBreaker.FailureRatio) = (2, 0.3)).UseHttpResilience());
            var builder = services.AddHttpClient("orders");
            if (hasOwn)
                builder.AddStandardResilienceHandler(o => o.Retry.MaxRetryAttempts = 1).UseHttpResilience();
        });
        _script.Status(503);

        (await Client().GetAsync("https://orders.example.com/", Cancelled)).Dispose();

        _script.RequestCount.ShouldBe(hasOwn ? 2 : 3);
        monitor.Get("orders").CircuitBreaker.FailureRatio.ShouldBe(hasOwn ? 0.9 : 0.3);
        _log.Lines.Where(l => l.Level >= LogLevel.Warning).ShouldHaveSingleItem().EventId.ShouldBe(102, "only the failed call");
    }

    [Fact]
    public async Task A_delegate_of_all_clients_is_called()
    {
        int told = 0;
        await StartAsync((services, _) => services.ConfigureHttpClientDefaults(all => all.AddStandardResilienceHandler(o =>
        {
            o.Retry.ShouldHandle = args => new(args.Outcome.Result?.StatusCode is HttpStatusCode.NotFound);
            o.Retry.OnRetry = args =>
            {
                told += args.Context.GetRequestMessage() is null ? 0 : 1;
                return default;
            };
        }).UseHttpResilience()));
        _script.Status(404).Status(200);

        (await Client().GetAsync("https://orders.example.com/", Cancelled)).Dispose();

        (told, _script.RequestCount).ShouldBe((1, 2));
    }

    [Fact]
    public async Task A_pipeline_of_the_application_stays_where_it_is()
    {
        List<string> order = [];
        await StartAsync((services, _) =>
        {
            var builder = services.AddHttpClient("orders");
            builder.AddHttpMessageHandler(() => new Named("outside", order));
            builder.AddResilienceHandler("before", p => p.AddTimeout(TimeSpan.FromMinutes(3)));
            var standard = builder.AddStandardResilienceHandler();
            builder.AddResilienceHandler("mine", p => p.AddTimeout(TimeSpan.FromMinutes(2)));
            builder.AddHttpMessageHandler(() => new Named("inside", order));
            standard.UseHttpResilience();
        });
        _script.Status(503).Status(200);

        (await Client().GetAsync("https://orders.example.com/", Cancelled)).Dispose();

        order.ShouldBe(["outside", "inside", "inside"]);
    }

    [Theory, InlineData(false, 1), InlineData(true, 2)]
    public async Task RemoveAllResilienceHandlers_removes_the_chain_of_all_clients(bool hasOwn, int requests)
    {
        await StartAsync((services, _) =>
        {
            services.ConfigureHttpClientDefaults(all => all.AddStandardResilienceHandler(
                o => (o.Retry.MaxRetryAttempts, o.Retry.Delay) = (3, TimeSpan.Zero)).UseHttpResilience());
            var builder = services.AddHttpClient("orders").RemoveAllResilienceHandlers();
            if (hasOwn)
                builder.AddStandardResilienceHandler(o => (o.Retry.MaxRetryAttempts, o.Retry.Delay) = (1, TimeSpan.Zero));
        });
        _script.Status(503);

        using var response = await Client().GetAsync("https://orders.example.com/", Cancelled);

        (_script.RequestCount, response.GetHttpCall()).ShouldBe((requests, null));
        _log.Lines.ShouldNotContain(l => l.EventId == 420);
    }

    [Fact]
    public async Task A_client_that_has_removed_the_chain_of_all_clients_can_take_over_a_handler_of_its_own()
    {
        await StartAsync((services, _) =>
        {
            services.ConfigureHttpClientDefaults(all => all.AddStandardResilienceHandler().UseHttpResilience());
            services.AddHttpClient("orders").RemoveAllResilienceHandlers().AddStandardResilienceHandler(
                o => (o.Retry.MaxRetryAttempts, o.Retry.Delay) = (1, TimeSpan.Zero)).UseHttpResilience();
        });
        _script.Status(503);

        using var response = await Client().GetAsync("https://orders.example.com/", Cancelled);

        (_script.RequestCount, response.GetHttpCall()!.Attempts.Count).ShouldBe((2, 2));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_chain_that_the_application_has_added_itself_stays_beside_RemoveAllResilienceHandlers(bool isAddedAfter)
    {
        await StartAsync((services, _) =>
        {
            services.ConfigureHttpClientDefaults(all => all.AddStandardResilienceHandler().UseHttpResilience());
            var builder = services.AddHttpClient("orders");
            if (isAddedAfter)
                builder.RemoveAllResilienceHandlers().AddResilience(o => o.Retry.MaxRetryAttempts = 2);
            else
                builder.AddResilience(o => o.Retry.MaxRetryAttempts = 2).RemoveAllResilienceHandlers();
        });
        _script.Status(503);

        using var response = await Client().GetAsync("https://orders.example.com/", Cancelled);

        response.GetHttpCall()!.Attempts.Count.ShouldBe(3);
    }

    [Theory]
    [InlineData(false, false, false), InlineData(true, false, false), InlineData(true, true, false), InlineData(false, true, false)]
    [InlineData(false, false, true), InlineData(true, false, true), InlineData(true, true, true), InlineData(false, true, true)]
    public async Task Where_the_chain_is_removed_the_timeout_of_the_HttpClient_is_not_that_of_the_chain(
        bool hasOwn, bool isSet, bool isRemoveResilience)
    {
        await StartAsync((services, _) =>
        {
            services.ConfigureHttpClientDefaults(all => all.AddStandardResilienceHandler().UseHttpResilience());
            var builder = services.AddHttpClient("orders");
            if (isSet)
                builder.ConfigureHttpClient(c => c.Timeout = TimeSpan.FromSeconds(7));
            if (isRemoveResilience)
                builder.RemoveResilience();
            else
                builder.RemoveAllResilienceHandlers();
            if (hasOwn)
                builder.AddStandardResilienceHandler();
        });

        // Microsoft's handler sets it too, where it is added.
        Client().Timeout.ShouldBe(isSet && !hasOwn ? TimeSpan.FromSeconds(7) : Timeout.InfiniteTimeSpan);
    }

    [Theory, InlineData(false, 3), InlineData(true, 2)]
    public async Task Of_both_handlers_on_a_client_the_one_is_replaced_that_was_asked_for(bool isHedging, int attempts)
    {
        await StartAsync((services, _) =>
        {
            var builder = services.AddHttpClient("orders");
            var hedging = isHedging ? builder.AddStandardHedgingHandler() : null;
            var standard = builder.AddStandardResilienceHandler(o => (o.Retry.MaxRetryAttempts, o.Retry.Delay) = (2, TimeSpan.Zero));
            hedging ??= builder.AddStandardHedgingHandler();
            if (isHedging)
                hedging.UseHttpResilience();
            else
                standard.UseHttpResilience();
        });
        _script.Status(503);

        using var response = await Client().GetAsync("https://orders.example.com/", Cancelled);

        (_script.RequestCount, response.GetHttpCall()!.Attempts.Count).ShouldBe((6, attempts));
    }

    [Theory, InlineData(true, true), InlineData(true, false), InlineData(false, true), InlineData(false, false)]
    public async Task A_delegate_that_a_classifier_of_the_application_would_silence_stops_the_start(bool isKeyed, bool isBefore)
    {
        var error = await Should.ThrowAsync<OptionsValidationException>(() => StartAsync((services, _) =>
        {
            if (isBefore)
                AddClassifier(services, isKeyed);
            if (isKeyed)
                Add(services.AddHttpClient("orders"));
            else
                services.ConfigureHttpClientDefaults(Add);

            if (!isBefore)
                AddClassifier(services, isKeyed);
        }));

        error.Failures.ShouldHaveSingleItem().ShouldStartWith(
            (isKeyed ? "Client 'orders'" : "All clients")
            + ": UseHttpResilience cannot take over Retry.ShouldHandle beside an IFailureClassifier");

        static void Add(IHttpClientBuilder builder) =>
            builder.AddStandardResilienceHandler(o => o.Retry.ShouldHandle = _ => new(false)).UseHttpResilience();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_classifier_of_the_application_decides_where_no_delegate_does(bool isKeyed)
    {
        await StartAsync((services, _) =>
        {
            services.AddHttpClient("orders").AddStandardResilienceHandler().UseHttpResilience();
            if (isKeyed)
                AddClassifier(services, isKeyed: true);
        });
        _script.Status(404).Status(200);

        (await Client().GetAsync("https://orders.example.com/", Cancelled)).Dispose();

        _script.RequestCount.ShouldBe(isKeyed ? 2 : 1);
    }

    [Fact]
    public async Task Policies_of_AddPolicyHandler_are_named_in_a_warning()
    {
        await StartAsync((services, _) =>
        {
            var builder = services.AddHttpClient("orders");
            builder.AddPolicyHandler(Policy.NoOpAsync<HttpResponseMessage>());
            builder.AddStandardResilienceHandler().UseHttpResilience();
        });

        _log.Lines.Where(l => l.EventId == 420).ShouldHaveSingleItem().Text.ShouldContain("AddPolicyHandler");
    }

    [Fact]
    public async Task Hedging_is_taken_over()
    {
        var options = await OptionsOf(b => b.AddStandardHedgingHandler().Configure(o =>
        {
            (o.Hedging.MaxHedgedAttempts, o.Hedging.Delay) = (3, TimeSpan.FromSeconds(0.4));
            o.Endpoint.Timeout.Timeout = TimeSpan.FromSeconds(4);
            o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(11);
            o.Endpoint.CircuitBreaker.FailureRatio = 0.2;
        }).UseHttpResilience());

        (options.Hedging.Enabled, options.Hedging.MaxHedgedAttempts, options.Hedging.Delay, options.Retry.MaxRetryAttempts)
            .ShouldBe((true, 3, TimeSpan.FromSeconds(0.4), 0));
        (options.AttemptTimeout.Timeout, options.TotalRequestTimeout.Timeout, options.CircuitBreaker.FailureRatio)
            .ShouldBe((TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(11), 0.2));
    }

    [Fact]
    public async Task Ordered_groups_are_endpoints_in_their_order()
    {
        var options = await OptionsOf(b => b.AddStandardHedgingHandler(r => r.ConfigureOrderedGroups(o => o.Groups =
        [
            new() { Endpoints = [new() { Uri = new("https://a.example.com/ignored") }] },
            new() { Endpoints = [new() { Uri = new("https://b.example.com:8443") }] },
        ])).UseHttpResilience());

        options.Endpoints.Mode.ShouldBe(EndpointMode.Ordered);
        options.Endpoints.Uris.ShouldBe(["https://a.example.com/", "https://b.example.com:8443/"]);
    }

    [Fact]
    public async Task Groups_of_all_clients_are_the_endpoints_of_each()
    {
        var monitor = await StartAsync((services, _) => services.ConfigureHttpClientDefaults(all => all.AddStandardHedgingHandler(
            r => r.ConfigureOrderedGroups(o => o.Groups =
            [
                new() { Endpoints = [new() { Uri = new("https://a.example.com") }] },
                new() { Endpoints = [new() { Uri = new("https://b.example.com") }] },
            ])).UseHttpResilience()));

        monitor.Get("orders").Endpoints.Uris.ShouldBe(["https://a.example.com/", "https://b.example.com/"]);
    }

    [Fact]
    public async Task The_user_of_an_endpoint_is_ignored_as_before()
    {
        var options = await OptionsOf(b => b.AddStandardHedgingHandler(r => r.ConfigureOrderedGroups(o => o.Groups =
        [
            new() { Endpoints = [new() { Uri = new("https://user:password@a.example.com:8443/path?query") }] },
            new() { Endpoints = [new() { Uri = new("https://[::1]:8443") }] },
        ])).UseHttpResilience());

        options.Endpoints.Uris.ShouldBe(["https://a.example.com:8443/", "https://[::1]:8443/"]);
    }

    [Fact]
    public async Task One_ordered_group_of_several_endpoints_is_weighted()
    {
        var options = await OptionsOf(b => b.AddStandardHedgingHandler(r => r.ConfigureOrderedGroups(o => o.Groups =
        [
            new() { Endpoints = [new() { Uri = new("https://a.example.com"), Weight = 1 },
                new() { Uri = new("https://b.example.com"), Weight = 3 }] },
        ])).UseHttpResilience());

        options.Endpoints.Mode.ShouldBe(EndpointMode.Weighted);
        options.Endpoints.Weights.ShouldBe([250_000, 750_000]);
    }

    [Fact]
    public async Task Groups_from_a_section_are_reloaded()
    {
        var monitor = await StartAsync(
            (services, configuration) => services.AddHttpClient("orders").AddStandardHedgingHandler(
                r => r.ConfigureWeightedGroups(configuration.GetSection("Routes"))).UseHttpResilience(),
            ("Routes:Groups:0:Endpoints:0:Uri", "https://a.example.com"));
        _ = Client();
        monitor.Get("orders").Endpoints.Uris.ShouldBe(["https://a.example.com/"]);

        Set("Routes:Groups:0:Endpoints:0:Uri", "https://b.example.com");

        monitor.Get("orders").Endpoints.Uris.ShouldBe(["https://b.example.com/"]);
    }

    [Fact]
    public async Task A_queue_without_another_limit_is_taken_over()
    {
        var options = await OptionsOf(b => b.AddStandardResilienceHandler(
            o => o.RateLimiter.DefaultRateLimiterOptions.QueueLimit = 7).UseHttpResilience());

        var limit = options.RateLimiter!.DefaultRateLimiterOptions!;
        (limit.PermitLimit, limit.QueueLimit).ShouldBe((1000, 7));
    }

    [Fact]
    public async Task Only_the_handler_of_the_client_is_replaced()
    {
        await StartAsync((services, _) =>
        {
            var first = services.AddHttpClient("orders").AddStandardResilienceHandler(
                o => (o.Retry.MaxRetryAttempts, o.Retry.Delay) = (2, TimeSpan.Zero));
            var second = services.AddHttpClient("other").ConfigurePrimaryHttpMessageHandler(() => _script).AddStandardResilienceHandler(
                o => (o.Retry.MaxRetryAttempts, o.Retry.Delay) = (4, TimeSpan.Zero));
            first.UseHttpResilience();
        });
        _script.Status(503);
        var factory = _host!.Services.GetRequiredService<IHttpClientFactory>();

        using var ours = await factory.CreateClient("orders").GetAsync("https://orders.example.com/", Cancelled);
        _script.RequestCount.ShouldBe(3);
        using var theirs = await factory.CreateClient("other").GetAsync("https://orders.example.com/", Cancelled);
        _script.RequestCount.ShouldBe(8);

        ours.GetHttpCall().ShouldNotBeNull();
        theirs.GetHttpCall().ShouldBeNull();
    }

    [Fact]
    public async Task Weighted_groups_are_endpoints_with_the_share_that_they_had()
    {
        var options = await OptionsOf(b => b.AddStandardHedgingHandler(r => r.ConfigureWeightedGroups(o => o.Groups =
        [
            new() { Weight = 30, Endpoints = [new() { Uri = new("https://a.example.com"), Weight = 10 },
                new() { Uri = new("https://b.example.com"), Weight = 20 }] },
            new() { Weight = 70, Endpoints = [new() { Uri = new("https://c.example.com") }] },
        ])).UseHttpResilience());

        options.Endpoints.Mode.ShouldBe(EndpointMode.Weighted);
        options.Endpoints.Uris.Zip(options.Endpoints.Weights).ShouldBe(
            [("https://a.example.com/", 100_000), ("https://b.example.com/", 200_000), ("https://c.example.com/", 700_000)]);
    }

    public static TheoryData<string, Action<IHttpClientBuilder>> Unsupported => new()
    {
        { "CircuitBreaker.BreakDurationGenerator", b => b.AddStandardResilienceHandler(
            o => o.CircuitBreaker.BreakDurationGenerator = _ => new(TimeSpan.FromSeconds(1))).UseHttpResilience() },
        { "CircuitBreaker.ManualControl", b => b.AddStandardResilienceHandler(
            o => o.CircuitBreaker.ManualControl = new()).UseHttpResilience() },
        { "CircuitBreaker.StateProvider", b => b.AddStandardResilienceHandler(
            o => o.CircuitBreaker.StateProvider = new()).UseHttpResilience() },
        { "Retry.Randomizer", b => b.AddStandardResilienceHandler(o => o.Retry.Randomizer = () => 0.5).UseHttpResilience() },
        { "Endpoint.CircuitBreaker.ManualControl", b => b.AddStandardHedgingHandler().Configure(
            o => o.Endpoint.CircuitBreaker.ManualControl = new()).UseHttpResilience() },
        { "Hedging.DelayGenerator", b => b.AddStandardHedgingHandler().Configure(
            o => o.Hedging.DelayGenerator = _ => new(TimeSpan.FromSeconds(1))).UseHttpResilience() },
        { "Hedging.ActionGenerator", b =>
            {
                b.AddStandardHedgingHandler().UseHttpResilience();
                b.Services.PostConfigure<HttpStandardHedgingResilienceOptions>("orders", o => o.Hedging.ActionGenerator = _ => null);
            } },
        { "ConfigureOrderedGroups", b => b.AddStandardHedgingHandler(r => r.ConfigureOrderedGroups(o => o.Groups =
            [
                new() { Endpoints = [new() { Uri = new("https://a.example.com") }, new() { Uri = new("https://b.example.com") }] },
                new() { Endpoints = [new() { Uri = new("https://c.example.com") }] },
            ])).UseHttpResilience() },
        { "AddResilience(section)", b => b.AddStandardResilienceHandler().UseHttpResilience().AddResilience("short") },
    };

    [Theory, MemberData(nameof(Unsupported))]
    public async Task What_cannot_be_kept_stops_the_start_with_the_option_and_the_way(string option, Action<IHttpClientBuilder> add)
    {
        var error = await Should.ThrowAsync<OptionsValidationException>(
            () => StartAsync((services, _) => add(services.AddHttpClient("orders"))));

        string failure = error.Failures.ShouldHaveSingleItem();
        failure.ShouldStartWith("Client 'orders': UseHttpResilience ");
        failure.ShouldContain(option);
    }

    [Fact]
    public void A_second_call_says_that_there_is_nothing_to_replace()
    {
        var standard = new ServiceCollection().AddHttpClient("orders").AddStandardResilienceHandler();
        standard.UseHttpResilience();

        Should.Throw<InvalidOperationException>(() => standard.UseHttpResilience()).Message.ShouldContain("'orders'");
    }

    [Fact]
    public async Task A_report_changes_nothing_and_is_logged_once_at_start()
    {
        await StartAsync((services, _) => services.AddHttpClient("orders").AddStandardResilienceHandler(o =>
        {
            (o.Retry.MaxRetryAttempts, o.Retry.Delay) = (1, TimeSpan.Zero);
            o.CircuitBreaker.ManualControl = new();
        }).UseHttpResilience(report: true));
        _script.Status(503);

        using var response = await Client().PostAsync("https://orders.example.com/", null, Cancelled);

        response.GetHttpCall().ShouldBeNull();
        _script.RequestCount.ShouldBe(2);
        _script.Requests.ShouldAllBe(r => r.IdempotencyKey == null);
        var report = _log.Lines.Where(l => l.EventId == 802).ShouldHaveSingleItem();
        report.Level.ShouldBe(LogLevel.Information);
        report.Text.ShouldStartWith("orders: ");
        TestContext.Current.TestOutputHelper!.WriteLine(report.Text);
        report.Text.ShouldContain("POST and PATCH");
        report.Text.ShouldContain("Stops the start: CircuitBreaker.ManualControl");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_report_says_that_the_handlers_of_all_clients_stand_around_whether_they_are_replaced_or_not(bool isReplaced)
    {
        await StartAsync((services, _) =>
        {
            services.ConfigureHttpClientDefaults(all =>
            {
                var standard = all.AddStandardResilienceHandler();
                if (isReplaced)
                    standard.UseHttpResilience();
            });
            services.AddHttpClient("orders").AddStandardResilienceHandler().UseHttpResilience(report: true);
        });

        _log.Lines.Where(l => l.EventId == 802).ShouldHaveSingleItem().Text.ShouldContain("Handlers of all clients");
    }

    [Fact]
    public void Without_a_host_the_report_is_logged_when_the_client_is_created()
    {
        using var services = new ServiceCollection().AddLogging(l => l.AddProvider(_log))
            .AddHttpClient("orders").AddStandardHedgingHandler().UseHttpResilience(report: true).Services.BuildServiceProvider();
        var factory = services.GetRequiredService<IHttpClientFactory>();

        factory.CreateClient("orders").Dispose();
        factory.CreateClient("orders").Dispose();

        _log.Lines.Where(l => l.EventId == 802).ShouldHaveSingleItem();
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
            await _host.StopAsync(CancellationToken.None);
        _host?.Dispose();
    }

    private async Task<HttpResilienceOptions> OptionsOf(
        Action<IHttpClientBuilder> add, params (string Key, string? Value)[] settings) =>
        (await StartAsync((services, _) => add(services.AddHttpClient("orders")), settings)).Get("orders");

    private async Task<IOptionsMonitor<HttpResilienceOptions>> StartAsync(
        Action<IServiceCollection, IConfiguration> add, params (string Key, string? Value)[] settings)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(s => s.Key, s => s.Value));
        builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(_log);
        builder.Services.AddSingleton<TimeProvider>(_time);
        add(builder.Services, builder.Configuration);
        builder.Services.AddHttpClient("orders").ConfigurePrimaryHttpMessageHandler(() => _script);
        _host = builder.Build();
        await _host.StartAsync(Cancelled);
        return _host.Services.GetRequiredService<IOptionsMonitor<HttpResilienceOptions>>();
    }

    private static void AddClassifier(IServiceCollection services, bool isKeyed) =>
        _ = isKeyed ? services.AddKeyedSingleton<IFailureClassifier, RetryNotFound>("orders")
            : services.AddSingleton<IFailureClassifier>(new RetryNotFound());

    private HttpClient Client() => _host!.Services.GetRequiredService<IHttpClientFactory>().CreateClient("orders");

    private void Set(string key, string value)
    {
        var configuration = (IConfigurationRoot)_host!.Services.GetRequiredService<IConfiguration>();
        configuration[key] = value;
        configuration.Reload();
    }

    private sealed class RetryNotFound : IFailureClassifier
    {
        public FailureClassification Classify(
            HttpCall httpCall, HttpResponseMessage? response, Exception? exception, FailureClassification builtIn) =>
            response?.StatusCode is HttpStatusCode.NotFound ? new(FailureClass.Transient) : builtIn;
    }

    private sealed class Named(string name, List<string> order) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            order.Add(name);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
