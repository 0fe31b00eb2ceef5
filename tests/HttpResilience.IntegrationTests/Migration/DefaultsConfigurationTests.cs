using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;
using Polly;
using Refit;

namespace HttpResilience.IntegrationTests.Migration;

/// <summary>Handlers that all clients have, as .NET Aspire's service defaults and similar code add them, under both handlers.</summary>
public sealed class DefaultsConfigurationTests
{
    public interface IPeople
    {
        [Get("/people/1")]
        Task<string> GetAsync();

        [Post("/people")]
        Task<IApiResponse> CreateAsync([Body] Person person);
    }

    public sealed record Person(string Name);

    [Fact]
    public async Task The_service_defaults_of_Aspire_with_a_logical_address()
    {
        var both = await BothHandlers.RunAsync(
            app =>
            {
                app.Configuration["Services:catalogue:http:0"] = "http://catalogue.example.com:8080";
                app.Services.AddServiceDiscovery();
                app.Services.ConfigureHttpClientDefaults(http =>
                {
                    app.Switch(http.AddStandardResilienceHandler(options => options.Retry.UseJitter = false));
                    http.AddServiceDiscovery();
                });
                app.Services.AddHttpClient("catalogue", client => client.BaseAddress = new("https+http://catalogue"));
                app.Services.AddHttpClient("plain");
            },
            api => api.Status(503).Status(200).Status(500).Times(2).Status(200),
            async run =>
            {
                await run.SendAsync("catalogue", new(HttpMethod.Get, new Uri("/items", UriKind.Relative)));
                await run.SendAsync("plain", HttpMethod.Get);
            });

        // Service discovery waits on the same clock, which is skipped too.
        foreach (var run in (AppRun[])[both.Microsoft, both.Ours])
        {
            run.Api.Requests.Select(r => r.Uri.Authority).ShouldBe(
                ["catalogue.example.com:8080", "catalogue.example.com:8080", "api.example.com", "api.example.com", "api.example.com"]);
            run.Seen.Ends.Split(", ").ShouldAllBe(end => end.StartsWith("200 at "));
        }

        both.Report.ShouldContain("All clients");
    }

    [Fact]
    public void All_clients_but_one_that_calls_a_language_model()
    {
        var both = BothHandlers.Run(
            app =>
            {
                app.Services.ConfigureHttpClientDefaults(http =>
                    app.Switch(http.AddStandardResilienceHandler(options => options.Retry.UseJitter = false)));
                var model = app.Services.AddHttpClient("model");
#pragma warning disable EXTEXP0001 // the public way to take the handlers of all clients off one
                model.RemoveAllResilienceHandlers();
#pragma warning restore EXTEXP0001
                app.Services.AddHttpClient("other");
            },
            api => api.Status(503, after: 45).Status(503).Status(200),
            async run =>
            {
                await run.SendAsync("model", HttpMethod.Post, "https://model.example.com/chat");
                await run.SendAsync("other", HttpMethod.Get);
            });

        both.ShouldBoth("model.example.com 0, 45, 47", "503 at 45 s, 200 at 47 s");
        both.Ours.Keys.ShouldBeEmpty();
    }

    [Fact]
    public void The_defaults_spare_POST_and_a_client_has_options_of_its_own()
    {
        var both = BothHandlers.Run(
            app =>
            {
                app.Services.ConfigureHttpClientDefaults(http => app.Switch(http.AddStandardResilienceHandler(options =>
                {
                    options.Retry.UseJitter = false;
                    options.Retry.DisableFor(HttpMethod.Post);
                })));
                app.Services.AddHttpClient("spared");
                var own = app.Services.AddHttpClient("own");
#pragma warning disable EXTEXP0001
                own.RemoveAllResilienceHandlers();
#pragma warning restore EXTEXP0001
                app.Switch(own.AddStandardResilienceHandler(options =>
                {
                    options.Retry.UseJitter = false;
                    options.Retry.MaxRetryAttempts = 1;
                }));
            },
            api => api.Status(503),
            async run =>
            {
                await run.SendAsync("spared", HttpMethod.Post);
                await run.SendAsync("spared", HttpMethod.Get, "https://a.example.com/");
                await run.SendAsync("own", HttpMethod.Post);
            });

        both.ShouldBoth(
            "0, a.example.com 0, a.example.com 2, a.example.com 6, a.example.com 14, 14, 16", "503 at 0 s, 503 at 14 s, 503 at 16 s");
    }

    [Fact]
    public async Task A_Refit_client_beside_handlers_of_its_own()
    {
        var both = await BothHandlers.RunAsync(
            app => app.Switch(app.Services.AddRefitGeneratedClient<IPeople>()
                .ConfigureHttpClient(client => client.BaseAddress = new("https://api.example.com"))
                .ConfigurePrimaryHttpMessageHandler(() => app.Api)
                .AddHttpMessageHandler(() => new Stamp("outside"))
                .AddStandardResilienceHandler(options =>
                {
                    options.Retry.UseJitter = false;
                    options.Retry.Delay = TimeSpan.FromSeconds(1);
                })),
            api => api.Status(503).Status(200).Status(429, retryAfter: 3).Status(201),
            async run =>
            {
                await run.EndAsync(async () => (await run.Get<IPeople>().GetAsync()).Length);
                await run.EndAsync(async () => (int)(await run.Get<IPeople>().CreateAsync(new("Ada"))).StatusCode!);
            });

        both.ShouldBoth("0, 1, 1, 4", "0 at 1 s, 201 at 4 s");
        foreach (var run in (AppRun[])[both.Microsoft, both.Ours])
            run.Api.Requests.ShouldAllBe(r => r.Headers["X-Stamp"] == "outside");
    }

    [Fact]
    public void A_pipeline_of_the_application_stays_inside()
    {
        var both = BothHandlers.Run(
            app =>
            {
                var client = app.Services.AddHttpClient("legacy");
                var standard = client.AddStandardResilienceHandler(options => options.Retry.UseJitter = false);
                client.AddResilienceHandler("login", pipeline => pipeline.AddRetry(new HttpRetryStrategyOptions
                {
                    MaxRetryAttempts = 1,
                    Delay = TimeSpan.FromMilliseconds(100),
                    UseJitter = false,
                    ShouldHandle = arguments => ValueTask.FromResult((int?)arguments.Outcome.Result?.StatusCode is 401),
                }));
                app.Switch(standard);
            },
            api => api.Status(401).Status(503).Status(401).Status(200),
            run => run.SendAsync("legacy", HttpMethod.Get));

        both.ShouldBoth("0, 0.1, 2.1, 2.2", "200 at 2.2 s");
        both.Ours.Log.Lines.ShouldContain(l => l.EventId == 420 && l.Text.Contains("AddResilienceHandler"));
    }

    [Fact]
    public void A_handler_of_all_clients_around_one_of_the_client_multiplies_the_attempts_of_Microsoft_only()
    {
        var both = BothHandlers.Run(
            app =>
            {
                app.Services.ConfigureHttpClientDefaults(http => app.Switch(http.AddStandardResilienceHandler(options =>
                {
                    options.Retry.MaxRetryAttempts = 1;
                    options.Retry.UseJitter = false;
                })));
                app.Switch(app.Services.AddHttpClient("own").AddStandardResilienceHandler(options =>
                {
                    options.Retry.MaxRetryAttempts = 2;
                    options.Retry.UseJitter = false;
                }));
            },
            api => api.Status(503),
            run => run.SendAsync("own", HttpMethod.Get));

        both.Microsoft.Seen.ShouldBe(new("0, 2, 6, 8, 10, 14", "503 at 14 s"));
        both.Ours.Seen.ShouldBe(new("0, 2, 6", "503 at 6 s"));
        both.ShouldReport("Handlers of all clients", "repeat each attempt again", "are replaced by the chain");
    }

    [Fact]
    public void A_handler_that_a_client_has_twice_stands_once()
    {
        var both = BothHandlers.Run(
            app =>
            {
                var client = app.Services.AddHttpClient("twice");
                for (int i = 0; i < 2; i++)
                {
                    app.Switch(client.AddStandardResilienceHandler(options =>
                    {
                        options.Retry.MaxRetryAttempts = 1;
                        options.Retry.UseJitter = false;
                    }));
                }
            },
            api => api.Status(503),
            run => run.SendAsync("twice", HttpMethod.Get));

        both.Microsoft.Seen.ShouldBe(new("0, 2, 4, 6", "503 at 6 s"));
        both.Ours.Seen.ShouldBe(new("0, 2", "503 at 2 s"));
        both.ShouldReport("The same handler twice", "repeats each attempt again", "the chain stands once");
    }

    [Fact]
    public void Both_handlers_on_one_client_are_an_error_at_start()
    {
        var services = new ServiceCollection();
        var client = services.AddHttpClient("both");
        client.AddStandardResilienceHandler().UseHttpResilience();
        client.AddStandardHedgingHandler().UseHttpResilience();
        using var provider = services.BuildServiceProvider();

        var error = Should.Throw<OptionsValidationException>(
            () => provider.GetRequiredService<IHttpClientFactory>().CreateClient("both"));

        error.Message.ShouldContain("AddStandardHedgingHandler beside AddStandardResilienceHandler");
        error.Message.ShouldContain("keep one of them");
    }

    [Fact]
    public void A_timeout_that_the_application_gives_its_HttpClient_is_named()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("forecast", client => client.Timeout = TimeSpan.FromSeconds(17))
                .AddStandardResilienceHandler()),
            api => api.Status(200),
            async run =>
            {
                await run.SendAsync("forecast", HttpMethod.Get);
                await run.EndAsync(() => Task.FromResult((int)run.Client("forecast").Timeout.TotalSeconds));
            });

        both.Microsoft.Seen.ShouldBe(new("0", "200 at 0 s, 0 at 0 s"));
        both.Ours.Seen.ShouldBe(new("0", "200 at 0 s, 17 at 0 s"));
        both.ShouldReport("HttpClient.Timeout", "infinite", "as the application has set it");
    }

    [Fact]
    public void A_POST_without_a_key_is_repeated_under_one_key()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("orders").AddStandardResilienceHandler(o => o.Retry.UseJitter = false)),
            api => api.Reset().Status(503).Status(200),
            run => run.SendAsync("orders", HttpMethod.Post));

        both.ShouldBoth("0, 2, 6", "200 at 6 s");
        both.Microsoft.Keys.ShouldBeEmpty();
        both.Ours.Keys.ShouldHaveSingleItem();
        both.Ours.Api.Requests.ShouldAllBe(r => r.IdempotencyKey != null);
        both.ShouldReport("POST and PATCH", "repeated without a key", "Idempotency-Key");
    }

    [Theory, InlineData(UnsafeMethods.WhenKeyed, "0"), InlineData(UnsafeMethods.Always, "0, 2, 6")]
    public void A_POST_to_an_API_without_keys_is_not_repeated_unless_the_application_says_so(UnsafeMethods methods, string requests)
    {
        var both = BothHandlers.Run(
            app => app.Switch(
                app.Services.AddHttpClient("orders").AddStandardResilienceHandler(o => o.Retry.UseJitter = false),
                options => (options.Idempotency.Enabled, options.Retry.UnsafeMethods) = (false, methods)),
            api => api.Reset().Status(503).Status(200),
            run => run.SendAsync("orders", HttpMethod.Post));

        both.Microsoft.Seen.ShouldBe(new("0, 2, 6", "200 at 6 s"));
        both.Ours.Seen.Requests.ShouldBe(requests);
        both.Ours.Keys.ShouldBeEmpty();
        both.ShouldReport("POST and PATCH", "repeated without a key", "without one not repeated when it may have been processed");
    }

    private sealed class Stamp(string value) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.TryAddWithoutValidation("X-Stamp", value);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
