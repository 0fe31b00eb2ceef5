using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Options;

/// <summary>A section as it was written for <c>AddStandardResilienceHandler</c> of Microsoft.Extensions.Http.Resilience.</summary>
public sealed class MicrosoftSectionTests
{
    internal const string Section = """
        { "HttpResilience": { "Clients": { "api": {
            "TotalRequestTimeout": { "Timeout": "00:02:00", "Name": "Standard-TotalRequestTimeout" },
            "Retry": { "MaxRetryAttempts": 5, "BackoffType": "Linear", "UseJitter": false, "Delay": "00:00:03", "MaxDelay": "00:00:07",
                       "ShouldRetryAfterHeader": false, "Name": "Standard-Retry" },
            "CircuitBreaker": { "FailureRatio": 0.5, "MinimumThroughput": 8, "SamplingDuration": "00:10:00",
              "BreakDuration": "00:00:11", "Name": "Standard-CircuitBreaker" },
            "AttemptTimeout": { "Timeout": "00:00:13", "Name": "Standard-AttemptTimeout" } } } } }
        """;

    private static IConfiguration Configuration =>
        new ConfigurationBuilder().AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Section))).Build();

    [Fact]
    public void The_section_binds_unchanged()
    {
        using var chain = Create();

        var policy = chain.State.Policy;
        policy.TotalRequestTimeout.ShouldBe(TimeSpan.FromMinutes(2));
        policy.AttemptTimeout.ShouldBe(TimeSpan.FromSeconds(13));
        (policy.Retry.MaxRetryAttempts, policy.Retry.ShouldRetryAfterHeader).ShouldBe((5, false));
        (policy.Retry.Backoff.Type, policy.Retry.Backoff.Jitter).ShouldBe((BackoffType.Linear, JitterMode.None));
        (policy.Retry.Backoff.Delay, policy.Retry.Backoff.MaxDelay).ShouldBe((TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(7)));
        var circuit = policy.CircuitBreaker!;
        (circuit.FailureRatio, circuit.MinimumThroughput, circuit.BreakDuration).ShouldBe((0.5, 8, 11_000_000_000));
    }

    [Fact]
    public async Task Its_retries_mean_the_same()
    {
        using var chain = Create(o => o.CircuitBreaker.FailureThreshold = null);
        chain.Server.Script(Replies.Status(503, ("Retry-After", "60")));

        (await chain.GetAsync()).Dispose();

        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 3, 9, 16, 23, 30]);
    }

    [Fact]
    public async Task Its_timeouts_mean_the_same()
    {
        using var chain = Create(o => o.CircuitBreaker.FailureThreshold = null);
        chain.Server.Script(Replies.Stalls());

        var thrown = await Assert.ThrowsAnyAsync<TaskCanceledException>(() => chain.GetAsync());

        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 16, 35, 55, 75, 95]);
        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.AttemptsExhausted);
    }

    [Fact]
    public async Task Its_circuit_means_the_same()
    {
        using var chain = Create(o => o.Retry.MaxRetryAttempts = 0);
        chain.Server.Script([.. Enumerable.Range(0, 8).Select(i => Replies.Status(i % 2 == 0 ? 200 : 500))]);
        for (int i = 0; i < 8; i++)
            (await chain.GetAsync()).Dispose();

        var thrown = await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync());

        thrown.RetryAfter.ShouldBe(TimeSpan.FromSeconds(11));
    }

    private static Chain Create(Action<HttpResilienceOptions>? options = null) =>
        new(options, services: s => s.AddSingleton(Configuration));
}
