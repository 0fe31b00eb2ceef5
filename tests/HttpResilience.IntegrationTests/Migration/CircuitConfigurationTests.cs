using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace HttpResilience.IntegrationTests.Migration;

/// <summary>Circuits as public projects set them, under both handlers.</summary>
public sealed class CircuitConfigurationTests
{
    [Fact]
    public async Task A_circuit_opens_half_opens_and_closes_and_the_application_is_notified()
    {
        var both = await BothHandlers.RunAsync(
            app => app.Switch(app.Services.AddHttpClient("weather").AddStandardResilienceHandler(options =>
            {
                options.Retry.MaxRetryAttempts = 1;
                options.Retry.Delay = TimeSpan.FromMilliseconds(100);
                options.Retry.UseJitter = false;
                options.CircuitBreaker.FailureRatio = 0.5;
                options.CircuitBreaker.MinimumThroughput = 5;
                options.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(10);
                options.CircuitBreaker.OnOpened = arguments => app.Count(
                    $"OnOpened for {arguments.BreakDuration.TotalSeconds} s after {(int)arguments.Outcome.Result!.StatusCode}");
                options.CircuitBreaker.OnHalfOpened = _ => app.Count("OnHalfOpened");
                options.CircuitBreaker.OnClosed = _ => app.Count("OnClosed");
            })),
            api => api.Status(500).Times(5).Status(200),
            async run =>
            {
                for (int i = 0; i < 4; i++)
                {
                    await run.SendAsync("weather", HttpMethod.Get);
                    await run.WaitAsync(0.9);
                }

                await run.WaitAsync(10);
                await run.SendAsync("weather", HttpMethod.Get);
                await run.SendAsync("weather", HttpMethod.Get);
            });

        const string Called = "OnClosed 1, OnHalfOpened 1, OnOpened for 10 s after 500 1";
        both.Microsoft.Seen.ShouldBe(new(
            "0, 0.1, 1, 1.1, 2, 13.9, 13.9",
            "500 at 0.1 s, 500 at 1.1 s, circuit open at 2.1 s, circuit open at 3 s, 200 at 13.9 s, 200 at 13.9 s", Called));
        // The third call opens the circuit, and does not wait for a retry that is rejected.
        both.Ours.Seen.ShouldBe(new(
            "0, 0.1, 1, 1.1, 2, 13.8, 13.8",
            "500 at 0.1 s, 500 at 1.1 s, circuit open at 2 s, circuit open at 2.9 s, 200 at 13.8 s, 200 at 13.8 s", Called));
        both.ShouldReport("Retry at an open circuit", "waits, and is then rejected", "is rejected at once");
    }

    [Fact]
    public void The_default_circuit_of_the_chain_is_waited_out()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("orders").AddStandardResilienceHandler(o => o.Retry.UseJitter = false)),
            api => api.Status(503).Times(5).Status(200),
            async run =>
            {
                await run.SendAsync("orders", HttpMethod.Get);
                await run.SendAsync("orders", HttpMethod.Get);
            });

        both.ShouldBoth("0, 2, 6, 14, 14, 16", "503 at 14 s, 200 at 16 s");
        both.ShouldReport("Circuit", "one for the client", "one for each host");
        both.ShouldReport("CircuitBreaker:FailureRatio", "0.1", "0.9, or 5 failures in a row");
        both.ShouldReport("CircuitBreaker:BreakDuration", "5 s, calls fail at once", "calls wait up to 5 s");
    }

    [Fact]
    public void A_429_does_not_count_against_the_circuit()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("covers").AddStandardResilienceHandler(options =>
            {
                options.Retry.MaxRetryAttempts = 6;
                options.Retry.Delay = TimeSpan.FromSeconds(1);
                options.Retry.BackoffType = DelayBackoffType.Constant;
                options.Retry.UseJitter = false;
                options.CircuitBreaker.MinimumThroughput = 3;
                options.CircuitBreaker.FailureRatio = 0.5;
                options.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(30);
                options.CircuitBreaker.ShouldHandle = arguments => ValueTask.FromResult(
                    arguments.Outcome.Result?.StatusCode is not HttpStatusCode.TooManyRequests
                    && HttpClientResiliencePredicates.IsTransient(arguments.Outcome));
            })),
            api => api.Status(429).Times(6).Status(200).Status(503),
            async run =>
            {
                await run.SendAsync("covers", HttpMethod.Get);
                await run.SendAsync("covers", HttpMethod.Get);
                await run.SendAsync("covers", HttpMethod.Get);
            });

        both.ShouldBoth("0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10, 11, 12", "200 at 6 s, 503 at 12 s, circuit open at 12 s");
    }

    [Fact]
    public void A_host_that_fails_does_not_reject_calls_to_another_by_authority()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("crawler").AddStandardResilienceHandler(OpenAfterTwo).SelectPipelineByAuthority()),
            api => api.Status(200).Decide(request => request.RequestUri!.Host == "a.example.com" ? ScriptedApi.Answer(503) : null),
            async run =>
            {
                for (int i = 0; i < 2; i++)
                {
                    await run.SendAsync("crawler", HttpMethod.Get, "https://a.example.com/1");
                    await run.SendAsync("crawler", HttpMethod.Get, "https://b.example.com/1");
                }
            });

        both.ShouldBoth(
            "a.example.com 0, a.example.com 2, b.example.com 2, b.example.com 2",
            "503 at 2 s, 200 at 2 s, circuit open at 2 s, 200 at 2 s");
    }

    [Fact]
    public void Without_SelectPipelineByAuthority_only_the_chain_has_a_circuit_for_each_host()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("crawler").AddStandardResilienceHandler(OpenAfterTwo)),
            api => api.Status(200).Decide(request => request.RequestUri!.Host == "a.example.com" ? ScriptedApi.Answer(503) : null),
            async run =>
            {
                await run.SendAsync("crawler", HttpMethod.Get, "https://a.example.com/1");
                await run.SendAsync("crawler", HttpMethod.Get, "https://b.example.com/1");
            });

        both.Microsoft.Seen.ShouldBe(new("a.example.com 0, a.example.com 2", "503 at 2 s, circuit open at 2 s"));
        both.Ours.Seen.ShouldBe(new("a.example.com 0, a.example.com 2, b.example.com 2", "503 at 2 s, 200 at 2 s"));
        both.ShouldReport("Circuit", "one for the client", "one for each host");
    }

    [Fact]
    public void Each_shard_has_a_circuit_by_a_key_of_the_request()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("shards").AddStandardResilienceHandler(OpenAfterTwo)
                .SelectPipelineBy(_ => ShardOf)),
            api => api.Status(200).Decide(request => ShardOf(request) == "7" ? ScriptedApi.Answer(503) : null),
            async run =>
            {
                foreach (string shard in (string[])["7", "8", "7", "8"])
                {
                    await run.SendAsync("shards", new(HttpMethod.Get, "https://api.example.com/1")
                    {
                        Headers = { { "X-Shard", shard } },
                    });
                }
            });

        both.ShouldBoth("0, 2, 2, 2", "503 at 2 s, 200 at 2 s, circuit open at 2 s, 200 at 2 s");
        both.ShouldReport("Circuit", "one for each key", "one for each key as its tenant");
    }

    // Microsoft's handler also asks with a request of its own, when it is created.
    private static string ShardOf(HttpRequestMessage request) =>
        request.Headers.TryGetValues("X-Shard", out var values) ? values.Single() : "";

    private static void OpenAfterTwo(HttpStandardResilienceOptions options)
    {
        options.Retry.MaxRetryAttempts = 1;
        options.Retry.UseJitter = false;
        options.CircuitBreaker.MinimumThroughput = 2;
        options.CircuitBreaker.FailureRatio = 1;
        options.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(30);
    }
}
