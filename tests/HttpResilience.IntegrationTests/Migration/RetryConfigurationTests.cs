using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using Polly;

namespace HttpResilience.IntegrationTests.Migration;

/// <summary>Retry options as public projects write them, under both handlers.</summary>
public sealed partial class RetryConfigurationTests
{
    [Fact]
    public void The_defaults_of_a_typed_client()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient<Catalogue>().AddStandardResilienceHandler(o => o.Retry.UseJitter = false)),
            api => api.Status(503).Times(4).Reset().Status(408).Status(429).Status(200),
            async run =>
            {
                await run.EndAsync(() => run.Get<Catalogue>().GetAsync());
                await run.EndAsync(() => run.Get<Catalogue>().GetAsync());
            });

        both.ShouldBoth("0, 2, 6, 14, 14, 16, 20, 28", "503 at 14 s, 200 at 28 s");
    }

    [Fact]
    public void An_exponential_backoff_with_a_cap()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("forecast").AddStandardResilienceHandler(options =>
            {
                options.TotalRequestTimeout.Timeout = TimeSpan.FromMinutes(3);
                options.Retry.MaxRetryAttempts = 5;
                options.Retry.BackoffType = DelayBackoffType.Exponential;
                options.Retry.UseJitter = false;
                options.Retry.Delay = TimeSpan.FromSeconds(4);
                options.Retry.MaxDelay = TimeSpan.FromSeconds(20);
                options.CircuitBreaker.SamplingDuration = TimeSpan.FromMinutes(1);
            })),
            api => api.Status(502),
            run => run.SendAsync("forecast", HttpMethod.Get));

        both.ShouldBoth("0, 4, 12, 28, 48, 68", "502 at 68 s");
    }

    [Theory, InlineData(DelayBackoffType.Linear, "0, 3, 9, 18"), InlineData(DelayBackoffType.Constant, "0, 3, 6, 9")]
    public void A_linear_or_constant_backoff(DelayBackoffType type, string requests)
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("ollama").AddStandardResilienceHandler(options =>
            {
                options.Retry.BackoffType = type;
                options.Retry.UseJitter = false;
                options.Retry.Delay = TimeSpan.FromSeconds(3);
            })),
            api => api.Reset(),
            run => run.SendAsync("ollama", HttpMethod.Get));

        both.ShouldBoth(requests, $"HttpRequestException at {requests.Split(' ')[^1]} s");
    }

    [Fact]
    public void A_404_of_a_read_right_after_the_write_is_repeated()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("search").AddStandardResilienceHandler(options =>
            {
                options.Retry.UseJitter = false;
                options.Retry.Delay = TimeSpan.FromMilliseconds(500);
                options.Retry.ShouldHandle = arguments => ValueTask.FromResult(
                    HttpClientResiliencePredicates.IsTransient(arguments.Outcome)
                    || arguments.Outcome.Result?.StatusCode is HttpStatusCode.NotFound);
            })),
            api => api.Status(404).Status(503).Status(404).Status(200).Status(404).Times(4).Status(403),
            async run =>
            {
                await run.SendAsync("search", HttpMethod.Get);
                await run.SendAsync("search", HttpMethod.Get);
                await run.SendAsync("search", HttpMethod.Get);
            });

        both.ShouldBoth("0, 0.5, 1.5, 3.5, 3.5, 4, 5, 7, 7", "200 at 3.5 s, 404 at 7 s, 403 at 7 s");
    }

    [Fact]
    public void A_403_is_a_rate_limit_and_a_500_is_final()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("laws").AddStandardResilienceHandler(options =>
            {
                options.Retry.UseJitter = false;
                options.Retry.ShouldHandle = arguments => ValueTask.FromResult(
                    arguments.Outcome.Result?.StatusCode is not HttpStatusCode.InternalServerError
                    && (arguments.Outcome.Result?.StatusCode is HttpStatusCode.Forbidden
                        || HttpClientResiliencePredicates.IsTransient(arguments.Outcome)));
            })),
            api => api.Status(403).Status(200).Status(500).Status(503).Status(200),
            async run =>
            {
                await run.SendAsync("laws", HttpMethod.Get);
                await run.SendAsync("laws", HttpMethod.Get);
                await run.SendAsync("laws", HttpMethod.Get);
            });

        both.ShouldBoth("0, 2, 2, 2, 4", "200 at 2 s, 500 at 2 s, 200 at 4 s");
    }

    [Fact]
    public void Exceptions_are_repeated_and_responses_are_not()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("broker").AddStandardResilienceHandler(options =>
            {
                options.Retry.UseJitter = false;
                options.Retry.ShouldHandle = arguments => arguments.Outcome.Exception switch
                {
                    HttpRequestException or InvalidOperationException => PredicateResult.True(),
                    _ => PredicateResult.False(),
                };
            })),
            api => api.Status(503).Refused().Throws(() => new InvalidOperationException("The session is gone.")).Status(200),
            async run =>
            {
                await run.SendAsync("broker", HttpMethod.Get);
                await run.SendAsync("broker", HttpMethod.Get);
            });

        both.ShouldBoth("0, 0, 2, 6", "503 at 0 s, 200 at 6 s");
    }

    [Fact]
    public void The_delay_comes_from_a_field_of_the_API_else_from_the_backoff()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("github").AddStandardResilienceHandler(options =>
            {
                options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(150);
                options.Retry.MaxRetryAttempts = 4;
                options.Retry.UseJitter = false;
                options.Retry.DelayGenerator = async arguments =>
                {
                    await app.Count("DelayGenerator");
                    return arguments.Outcome.Result?.Headers.TryGetValues("X-Backoff", out var values) is true
                        ? TimeSpan.FromSeconds(int.Parse(values.Single(), System.Globalization.CultureInfo.InvariantCulture)) : null;
                };
            })),
            api => api.Status(429, field: ("X-Backoff", "17")).Status(503).Reset().Status(503, field: ("X-Backoff", "40")).Status(200),
            run => run.SendAsync("github", HttpMethod.Get));

        both.ShouldBoth("0, 17, 21, 29, 69", "200 at 69 s", "DelayGenerator 4");
    }

    [Fact]
    public void A_Retry_After_is_read_by_the_application_itself()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("music").AddStandardResilienceHandler(options =>
            {
                options.Retry.UseJitter = false;
                options.Retry.DelayGenerator = static arguments =>
                    ValueTask.FromResult(arguments.Outcome.Result?.Headers.RetryAfter?.Delta);
            })),
            api => api.Status(429, retryAfter: 7).Status(503, retryAfter: 5).Status(503)
                .Status(200),
            run => run.SendAsync("music", HttpMethod.Get));

        both.ShouldBoth("0, 7, 12, 20", "200 at 20 s");
    }

    [Fact]
    public void A_Retry_After_is_not_heeded()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("proxy").AddStandardResilienceHandler(options =>
            {
                options.Retry.UseJitter = false;
                options.Retry.ShouldRetryAfterHeader = false;
            })),
            api => api.Status(503, retryAfter: 9).Status(200),
            run => run.SendAsync("proxy", HttpMethod.Get));

        both.ShouldBoth("0, 2", "200 at 2 s");
    }

    [Fact]
    public void Unsafe_methods_are_not_repeated()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("payments").AddStandardResilienceHandler(options =>
            {
                options.Retry.UseJitter = false;
                options.Retry.DisableForUnsafeHttpMethods();
            })),
            api => api.Status(503),
            SendEachAsync);

        both.ShouldBoth(
            "get.example.com 0, get.example.com 2, get.example.com 6, get.example.com 14, put.example.com 14, post.example.com 14, "
                + "delete.example.com 14",
            "503 at 14 s, 503 at 14 s, 503 at 14 s, 503 at 14 s");
    }

    [Fact]
    public void Two_methods_are_not_repeated()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("payments").AddStandardResilienceHandler(options =>
            {
                options.Retry.UseJitter = false;
                options.Retry.MaxRetryAttempts = 1;
                options.Retry.DisableFor(HttpMethod.Post, HttpMethod.Delete);
            })),
            api => api.Reset(),
            SendEachAsync);

        both.ShouldBoth(
            "get.example.com 0, get.example.com 2, put.example.com 2, put.example.com 4, post.example.com 4, delete.example.com 4",
            "HttpRequestException at 2 s, HttpRequestException at 4 s, HttpRequestException at 4 s, HttpRequestException at 4 s");
    }

    [Fact]
    public void Each_retry_is_logged_with_services_of_the_container()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("prices").AddStandardResilienceHandler().Configure((options, services) =>
            {
                options.TotalRequestTimeout = new() { Timeout = TimeSpan.FromSeconds(120) };
                options.Retry.MaxRetryAttempts = 2;
                options.Retry.Delay = TimeSpan.FromSeconds(4);
                options.Retry.UseJitter = false;
                var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("prices");
                options.Retry.OnRetry = arguments =>
                {
                    LogRetry(
                        logger, arguments.AttemptNumber + 1, arguments.Context.GetRequestMessage()?.RequestUri,
                        arguments.RetryDelay.TotalSeconds,
                        arguments.Outcome.Result?.StatusCode.ToString() ?? arguments.Outcome.Exception?.GetType().Name);
                    return app.Count("OnRetry");
                };
            })),
            api => api.Status(503).Reset().Status(200),
            run => run.SendAsync("prices", HttpMethod.Get));

        both.ShouldBoth("0, 4, 12", "200 at 12 s", "OnRetry 2");
        string[] lines = [.. both.Microsoft.Log.Lines.Where(l => l.Category == "prices").Select(l => l.Text)];
        lines.ShouldBe(
        [
            "Retry 1 of https://api.example.com/orders in 4 s after ServiceUnavailable",
            "Retry 2 of https://api.example.com/orders in 8 s after HttpRequestException",
        ]);
        both.Ours.Log.Lines.Where(l => l.Category == "prices").Select(l => l.Text).ShouldBe(lines);
    }

    [Fact]
    public void The_defaults_with_jitter_make_as_many_attempts()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient<Catalogue>().AddStandardResilienceHandler()),
            api => api.Status(503),
            run => run.EndAsync(() => run.Get<Catalogue>().GetAsync()),
            isRandom: true);

        foreach (var run in (AppRun[])[both.Microsoft, both.Ours])
        {
            run.Api.Requests.Count.ShouldBe(4);
            run.Seen.Ends.ShouldStartWith("503 at ");
        }
    }

    [Fact]
    public void Both_repeat_the_same_statuses_but_four()
    {
        List<(int Status, bool Microsoft, bool Ours)> different = [];
        BothRuns? last = null;
        for (int status = 300; status < 600; status++)
        {
            var both = last = BothHandlers.Run(
                app => app.Switch(app.Services.AddHttpClient("any").AddStandardResilienceHandler(o => o.Retry.UseJitter = false)),
                api => api.Status(status),
                run => run.SendAsync("any", HttpMethod.Get));
            if (both.Ours.Seen != both.Microsoft.Seen)
                different.Add((status, both.Microsoft.Api.Requests.Count == 4, both.Ours.Api.Requests.Count == 4));
        }

        different.ShouldBe([(421, false, true), (425, false, true), (501, true, false), (505, true, false)]);
        last!.ShouldReport("What is retried", "500 to 599", "these and 421, 425, ");
    }

    [Theory]
    [InlineData("HttpRequestException", "4 | 4"), InlineData("UserAuthenticationError", "4 | 1")]
    [InlineData("VersionNegotiationError", "4 | 1"), InlineData("ExtendedConnectNotSupported", "4 | 1")]
    [InlineData("ConfigurationLimitExceeded", "4 | 1"), InlineData("IOException", "1 | 4"), InlineData("SocketException", "1 | 4")]
    [InlineData("TimeoutException", "1 | 4"), InlineData("connect timeout", "1 | 4")]
    [InlineData("OperationCanceledException", "1 | 1"), InlineData("InvalidOperationException", "1 | 1")]
    public void The_chain_repeats_what_failed_in_the_network_and_nothing_else(string failure, string requests)
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("any").AddStandardResilienceHandler(o => o.Retry.UseJitter = false)),
            api => api.Throws(() => failure switch
            {
                "HttpRequestException" => new HttpRequestException("It failed."),
                "IOException" => new IOException("The connection was reset."),
                "SocketException" => new System.Net.Sockets.SocketException(104),
                "TimeoutException" => new TimeoutException("It took too long."),
                "connect timeout" => new TaskCanceledException("A connection could not be established.", new TimeoutException()),
                "OperationCanceledException" => new OperationCanceledException("A handler gave up."),
                "InvalidOperationException" => new InvalidOperationException("A handler failed."),
                _ => new HttpRequestException(Enum.Parse<HttpRequestError>(failure), "It failed."),
            }),
            run => run.SendAsync("any", HttpMethod.Get));

        $"{both.Microsoft.Api.Requests.Count} | {both.Ours.Api.Requests.Count}".ShouldBe(requests);
        both.ShouldReport("What is retried", "HttpRequestException", "timeouts while connecting, IOException; not 501, 505");
    }

    [Fact]
    public async Task A_backoff_beyond_the_total_timeout_is_not_waited_for()
    {
        var both = await BothHandlers.RunAsync(
            app => app.Switch(app.Services.AddHttpClient("auctions").AddStandardResilienceHandler(options =>
            {
                options.Retry.MaxRetryAttempts = 5;
                options.Retry.Delay = TimeSpan.FromSeconds(20);
                options.Retry.UseJitter = false;
            })),
            api => api.Status(503),
            run => run.SendAsync("auctions", HttpMethod.Get));

        both.Microsoft.Seen.Requests.ShouldBe("0, 20");
        both.Microsoft.Seen.Ends.ShouldStartWith("timeout");
        both.Ours.Seen.ShouldBe(new("0, 20", "503 at 20 s"));
        both.ShouldReport("Backoff beyond the total timeout", "TimeoutRejectedException", "the response is returned at once");
    }

    [Fact]
    public void A_Retry_After_holds_back_all_calls_of_the_chain_to_the_host()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("covers").AddStandardResilienceHandler(options =>
            {
                options.Retry.MaxRetryAttempts = 1;
                options.Retry.UseJitter = false;
            })),
            api => api.Status(429, retryAfter: 8).Status(200),
            async run =>
            {
                var first = run.SendAsync("covers", HttpMethod.Get);
                await run.WaitAsync(1);
                await run.SendAsync("covers", HttpMethod.Get);
                await first;
            },
            isRandom: true);

        both.Microsoft.Seen.ShouldBe(new("0, 1, 8", "200 at 1 s, 200 at 8 s"));
        both.Ours.Api.Requests.Count.ShouldBe(3);
        both.Ours.Api.Requests.Skip(1).ShouldAllBe(r => r.At >= TimeSpan.FromSeconds(8));
        both.ShouldReport("Pause of a host", "holds back the call that got it", "holds back all calls to the host");
    }

    [Fact]
    public void The_configuration_overrides_what_is_taken_over_and_code_overrides_both()
    {
        var both = BothHandlers.Run(
            app =>
            {
                app.Configuration["HttpResilience:Defaults:Retry:Delay"] = "00:00:03";
                app.Configuration["HttpResilience:Defaults:Retry:MaxRetryAttempts"] = "4";
                app.Configuration["HttpResilience:Clients:own:Retry:MaxRetryAttempts"] = "2";
                app.Configuration["HttpResilience:Clients:own:Retry:BackoffType"] = "Linear";
                app.Switch(
                    app.Services.AddHttpClient("own").AddStandardResilienceHandler(options =>
                    {
                        options.Retry.MaxRetryAttempts = 3;
                        options.Retry.Delay = TimeSpan.FromSeconds(1);
                        options.Retry.UseJitter = false;
                    }),
                    options => options.Retry.BackoffType = BackoffType.Constant);
            },
            api => api.Status(503),
            run => run.SendAsync("own", HttpMethod.Get));

        both.Microsoft.Seen.ShouldBe(new("0, 1, 3, 7", "503 at 7 s"));
        both.Ours.Seen.ShouldBe(new("0, 3, 6", "503 at 6 s"));
    }

    [LoggerMessage(1, LogLevel.Warning, "Retry {Attempt} of {Uri} in {Delay} s after {Reason}")]
    private static partial void LogRetry(ILogger logger, int attempt, Uri? uri, double delay, string? reason);

    // To a host each, because one circuit would open after five failures.
    private static async Task SendEachAsync(AppRun run)
    {
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Put, HttpMethod.Post, HttpMethod.Delete])
            await run.SendAsync("payments", method, $"https://{method}.example.com/payments".ToLowerInvariant());
    }

    private sealed class Catalogue(HttpClient http)
    {
        internal async Task<int> GetAsync()
        {
            using var response = await http.GetAsync("https://api.example.com/catalogue");
            return (int)response.StatusCode;
        }
    }
}
