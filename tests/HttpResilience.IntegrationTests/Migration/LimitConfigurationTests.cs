using System.Threading.RateLimiting;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.Migration;

/// <summary>Rate limiters as public projects set them, under both handlers.</summary>
public sealed class LimitConfigurationTests
{
    [Fact]
    public async Task A_limit_without_a_queue_rejects_the_next_call()
    {
        var both = await BothHandlers.RunAsync(
            app => app.Switch(app.Services.AddHttpClient("weather").AddStandardResilienceHandler(options =>
            {
                options.RateLimiter.DefaultRateLimiterOptions.PermitLimit = 3;
                options.RateLimiter.OnRejected = _ => app.Count("OnRejected");
            })),
            api => api.Status(200).Hold(),
            run => SendAtOnceAsync(run, "weather", 5));

        both.ShouldBoth("0, 0, 0", "limit at 0 s, limit at 0 s, 200 at 0 s, 200 at 0 s, 200 at 0 s", "OnRejected 2");
        both.ShouldReport("RateLimiter", "3 calls of the client at once", "3 attempts to a host at once");
    }

    [Fact]
    public async Task A_limit_with_a_queue_keeps_calls_waiting()
    {
        var both = await BothHandlers.RunAsync(
            app => app.Switch(app.Services.AddHttpClient("scores").AddStandardResilienceHandler(options =>
                options.RateLimiter.DefaultRateLimiterOptions = new ConcurrencyLimiterOptions
                {
                    PermitLimit = 2,
                    QueueLimit = 2,
                    QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
                })),
            api => api.Status(200).Hold(),
            run => SendAtOnceAsync(run, "scores", 5));

        both.ShouldBoth("0, 0, 0, 0", "limit at 0 s, 200 at 0 s, 200 at 0 s, 200 at 0 s, 200 at 0 s");
    }

    [Fact]
    public async Task A_limiter_of_the_application_is_asked_for_each_call()
    {
        var both = await BothHandlers.RunAsync(
            app =>
            {
                var limiter = new TokenBucketRateLimiter(new()
                {
                    TokenLimit = 2,
                    TokensPerPeriod = 1,
                    ReplenishmentPeriod = TimeSpan.FromHours(1),
                    AutoReplenishment = false,
                });
                app.Services.AddSingleton(limiter);
                app.Switch(app.Services.AddHttpClient("mails").AddStandardResilienceHandler(options =>
                {
                    options.Retry.UseJitter = false;
                    options.RateLimiter.OnRejected = _ => app.Count("OnRejected");
                    options.RateLimiter.RateLimiter = arguments =>
                        limiter.AcquireAsync(cancellationToken: arguments.Context.CancellationToken);
                }));
            },
            api => api.Status(503).Status(200),
            async run =>
            {
                for (int i = 0; i < 3; i++)
                    await run.SendAsync("mails", HttpMethod.Get);
            });

        both.ShouldBoth("0, 2, 2", "200 at 2 s, 200 at 2 s, limit at 2 s", "OnRejected 1");
    }

    [Fact]
    public async Task The_default_limit_of_1000_calls_goes()
    {
        var both = await BothHandlers.RunAsync(
            app => app.Switch(app.Services.AddHttpClient("burst").AddStandardResilienceHandler()),
            api => api.Status(200).Hold(),
            run => SendAtOnceAsync(run, "burst", 1001));

        (both.Microsoft.Api.Requests.Count, both.Microsoft.Exceptions.Count).ShouldBe((1000, 1));
        (both.Ours.Api.Requests.Count, both.Ours.Exceptions.Count).ShouldBe((1001, 0));
        both.ShouldReport("RateLimiter", "1000 calls of the client at once", "no limit");
    }

    private static async Task SendAtOnceAsync(AppRun run, string client, int count)
    {
        Task[] calls = [.. Enumerable.Range(0, count).Select(_ => run.SendAsync(client, HttpMethod.Get))];
        run.Api.Release();
        await Task.WhenAll(calls);
    }
}
