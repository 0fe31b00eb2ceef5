using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace HttpResilience.IntegrationTests.Migration;

/// <summary>Timeouts as public projects set them, in code, in a section or for each request, under both handlers.</summary>
public sealed class TimeoutConfigurationTests
{
    private static readonly HttpRequestOptionsKey<TimeSpan> Allowed = new("allowed");

    [Fact]
    public void A_slow_report_gets_four_minutes_for_the_call_and_for_its_only_attempt()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("statistics").AddStandardResilienceHandler(options =>
            {
                options.TotalRequestTimeout.Timeout = TimeSpan.FromMinutes(4);
                options.AttemptTimeout.Timeout = TimeSpan.FromMinutes(4);
                options.CircuitBreaker.SamplingDuration = TimeSpan.FromMinutes(10);
            })),
            api => api.Status(200, after: 200).NeverAnswers(),
            async run =>
            {
                await run.SendAsync("statistics", HttpMethod.Get);
                await run.SendAsync("statistics", HttpMethod.Get);
            });

        both.ShouldBoth("0, 200", "200 at 200 s, timeout at 440 s");
        both.ShouldReport("Exceptions", "TimeoutRejectedException", "TaskCanceledException with TimeoutException");
    }

    [Fact]
    public void Attempts_that_time_out_are_repeated_until_the_total_timeout_ends_the_call()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("studio").AddStandardResilienceHandler(options =>
            {
                options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(16);
                options.TotalRequestTimeout.OnTimeout = _ => app.Count("OnTimeout of the call");
                options.AttemptTimeout.Timeout = TimeSpan.FromSeconds(5);
                options.AttemptTimeout.OnTimeout = _ => app.Count("OnTimeout of an attempt");
                options.Retry.Delay = TimeSpan.FromSeconds(1);
                options.Retry.UseJitter = false;
            })),
            api => api.NeverAnswers(),
            run => run.SendAsync("studio", HttpMethod.Get));

        both.ShouldBoth("0, 6, 13", "timeout at 16 s", "OnTimeout of an attempt 2, OnTimeout of the call 1");
    }

    [Fact]
    public void A_section_of_the_settings_has_all_options()
    {
        var both = BothHandlers.Run(
            app =>
            {
                Set(app.Configuration, "Partner:Resilience", new()
                {
                    ["TotalRequestTimeout:Timeout"] = "00:01:00",
                    ["AttemptTimeout:Timeout"] = "00:00:03",
                    ["Retry:MaxRetryAttempts"] = "2",
                    ["Retry:BackoffType"] = "Linear",
                    ["Retry:Delay"] = "00:00:01.5",
                    ["Retry:UseJitter"] = "false",
                    ["CircuitBreaker:SamplingDuration"] = "00:00:20",
                    ["CircuitBreaker:FailureRatio"] = "0.5",
                    ["RateLimiter:DefaultRateLimiterOptions:PermitLimit"] = "50",
                });
                app.Switch(app.Services.AddHttpClient("partner")
                    .AddStandardResilienceHandler(app.Configuration.GetSection("Partner:Resilience")));
            },
            api => api.NeverAnswers().Status(504).Status(503),
            run => run.SendAsync("partner", HttpMethod.Get));

        both.ShouldBoth("0, 4.5, 7.5", "503 at 7.5 s");
        both.ShouldReport("RateLimiter", "50 calls of the client at once", "50 attempts to a host at once");
    }

    [Fact]
    public void A_reload_of_the_section_changes_the_next_call()
    {
        var both = BothHandlers.Run(
            app =>
            {
                Set(app.Configuration, "Resilience", new()
                {
                    ["Retry:MaxRetryAttempts"] = "1",
                    ["Retry:Delay"] = "00:00:02",
                    ["Retry:UseJitter"] = "false",
                });
                app.Switch(app.Services.AddHttpClient("radarr").AddStandardResilienceHandler(app.Configuration.GetSection("Resilience")));
            },
            api => api.Status(503).Times(2).Status(200).Status(503).Times(3).Status(200),
            async run =>
            {
                await run.SendAsync("radarr", HttpMethod.Get);
                Set(run.Configuration, "Resilience", new() { ["Retry:MaxRetryAttempts"] = "3", ["Retry:Delay"] = "00:00:01" });
                run.Configuration.Reload();
                await run.SendAsync("radarr", HttpMethod.Get);
                await run.SendAsync("radarr", HttpMethod.Get);
            });

        both.ShouldBoth("0, 2, 2, 2, 3, 5, 9", "503 at 2 s, 200 at 2 s, 200 at 9 s");
    }

    [Fact]
    public void Options_are_also_set_by_the_name_of_the_pipeline()
    {
        var both = BothHandlers.Run(
            app =>
            {
                app.Services.PostConfigure<HttpStandardResilienceOptions>("gateway-standard", options =>
                {
                    options.Retry.MaxRetryAttempts = 1;
                    options.AttemptTimeout.Timeout = TimeSpan.FromSeconds(8);
                });
                app.Switch(app.Services.AddHttpClient("gateway").AddStandardResilienceHandler(options =>
                {
                    options.Retry.MaxRetryAttempts = 5;
                    options.Retry.UseJitter = false;
                }));
            },
            api => api.NeverAnswers(),
            run => run.SendAsync("gateway", HttpMethod.Get));

        both.ShouldBoth("0, 10", "timeout at 18 s");
    }

    [Fact]
    public void An_upload_names_its_own_timeouts_for_the_call_and_for_an_attempt()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("files").AddStandardResilienceHandler(options =>
            {
                options.Retry.UseJitter = false;
                options.Retry.MaxRetryAttempts = 1;
                options.AttemptTimeout.TimeoutGenerator = arguments => TimeoutFor(arguments.Context, TimeSpan.FromSeconds(10), times: 1);
                options.TotalRequestTimeout.TimeoutGenerator = arguments =>
                    TimeoutFor(arguments.Context, TimeSpan.FromSeconds(30), times: 3);
            })),
            api => api.NeverAnswers(),
            async run =>
            {
                await run.SendAsync("files", HttpMethod.Get);
                var upload = new HttpRequestMessage(HttpMethod.Put, "https://files.example.com/1");
                upload.Options.Set(Allowed, TimeSpan.FromMinutes(2));
                await run.SendAsync("files", upload);
            });

        both.ShouldBoth("0, 12, files.example.com 22, files.example.com 144", "timeout at 22 s, timeout at 264 s");
        both.ShouldReport("AttemptTimeout.TimeoutGenerator", "for each attempt", "for each call");

        static ValueTask<TimeSpan> TimeoutFor(ResilienceContext context, TimeSpan usual, int times) => ValueTask.FromResult(
            context.GetRequestMessage()!.Options.TryGetValue(Allowed, out var allowed) ? allowed * times : usual);
    }

    private static void Set(IConfigurationRoot configuration, string section, Dictionary<string, string?> values)
    {
        foreach (var (key, value) in values)
            configuration[$"{section}:{key}"] = value;
    }
}
