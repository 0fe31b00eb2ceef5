using System.Net.Http.Headers;
using HttpResilience.Peers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Polly;
using Refit;

namespace HttpResilience.Benchmarks;

/// <summary>The clients that are compared, from one factory and without the factory's logging.</summary>
internal sealed class Clients : IDisposable
{
    private readonly ServiceProvider _provider;
    private readonly ClientSettings _settings;

    internal Clients(Func<HttpMessageHandler> inner, ClientSettings settings)
    {
        _settings = settings;
        var services = new ServiceCollection();
        services.ConfigureHttpClientDefaults(client => client.RemoveAllLoggers().SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(inner));
        services.AddHttpClient(nameof(CostPeer.Bare));
        var ours = services.AddResilientHttpClient(nameof(CostPeer.Ours), o => ConfigureOurs(o, settings));
        var polly = services.AddHttpClient(nameof(CostPeer.Polly)).AddHttpMessageHandler(
            () => settings.ByAuthority ? new PipelineByAuthorityHandler(settings.Polly) : new OnePipelineHandler(settings.Polly));
        var refit = services.AddHttpClient(nameof(CostPeer.Refit)).AddHttpMessageHandler(() => new HttpRetryHandler(settings.Refit));
        var microsoft = services.AddHttpClient(nameof(CostPeer.Microsoft));
        AddMicrosoft(microsoft, settings);
        if (settings.HasEmptyPipeline)
        {
            ours.AddPollyHandler("empty", _ => { });
            polly.AddHttpMessageHandler(() => new EmptyPipelineHandler());
            microsoft.AddHttpMessageHandler(() => new EmptyPipelineHandler());
        }

        if (settings.HasLimit)
            polly.AddHttpMessageHandler(() => new ConcurrencyLimitHandler());
        if (settings.HasContentKeys)
        {
            foreach (var peer in (IHttpClientBuilder[])[polly, refit, microsoft])
                peer.AddHttpMessageHandler(() => new ContentKeyHandler());
        }

        _provider = services.BuildServiceProvider();
    }

    internal HttpClient Create(CostPeer peer)
    {
        var client = _provider.GetRequiredService<IHttpClientFactory>().CreateClient(peer.ToString());
        if (_settings.HasHeaders)
        {
            client.DefaultRequestHeaders.Accept.Add(new("application/json"));
            client.DefaultRequestHeaders.UserAgent.Add(new("InvoiceSender", "1.0"));
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "0123456789abcdef");
        }

        return client;
    }

    public void Dispose() => _provider.Dispose();

    private static void ConfigureOurs(HttpResilienceOptions options, ClientSettings settings)
    {
        options.Hedging.Enabled = settings.Hedges;
        if (settings.HasContentKeys)
            options.Idempotency.KeySource = KeySource.Content;
        if (settings.HasEndpoints)
            options.Endpoints.Uris = ["https://api.example.com", "https://api-us.example.com"];
        if (settings.HasRoutes)
        {
            options.Routes["POST /exports/*"] = route => route.TotalRequestTimeout.Timeout = TimeSpan.FromMinutes(10);
            options.Routes["GET /v1/invoices/*"] = route => route.Retry.MaxRetryAttempts = 5;
            options.Routes["/uploads/**"] = route => route.AttemptTimeout.Timeout = TimeSpan.FromMinutes(1);
        }

        (options.Quota.Preset, options.Quota.Pace) = (settings.HasQuota ? QuotaOptions.Api.GitHub : null, settings.HasQuota);
        options.Concurrency.Mode = settings.HasAdaptiveLimit ? ConcurrencyMode.Adaptive : ConcurrencyMode.Off;
        options.AttemptTimeout.Learn = settings.Learns;
        if (settings.HasLimit)
            options.RateLimiter = new();
        if (settings.RetriesAtOnce)
            (options.Retry.Delay, options.Retry.Budget.RetryRatio) = (TimeSpan.Zero, 2);
        if (settings.StaysOpen)
        {
            var breaker = options.CircuitBreaker;
            (breaker.FailureDuration, breaker.MaxWait) = (null, null);
            (breaker.BreakDuration, breaker.MaxBreakDuration) = (ClientSettings.LongBreak, ClientSettings.LongBreak);
        }
    }

    private static void AddMicrosoft(IHttpClientBuilder builder, ClientSettings settings)
    {
        if (settings.Hedges)
        {
            builder.AddStandardHedgingHandler();
            return;
        }

        var pipeline = builder.AddStandardResilienceHandler(options =>
        {
            if (settings.RetriesAtOnce)
            {
                (options.Retry.Delay, options.Retry.BackoffType, options.Retry.UseJitter) =
                    (TimeSpan.Zero, DelayBackoffType.Constant, false);
            }

            // Its limit of 1,000 calls in flight would reject the others.
            options.RateLimiter.DefaultRateLimiterOptions.PermitLimit = 10_000;
            options.CircuitBreaker.FailureRatio = settings.FailureRatio;
            if (settings.StaysOpen)
                options.CircuitBreaker.BreakDuration = ClientSettings.LongBreak;
        });
        if (settings.ByAuthority)
            pipeline.SelectPipelineByAuthority();
    }
}

/// <summary>What differs from the defaults of each package, equal for all clients.</summary>
internal sealed record ClientSettings
{
    internal static TimeSpan LongBreak { get; } = TimeSpan.FromDays(1);

    /// <summary>Retries follow at once, as many as there are calls; and half of the attempts may fail.</summary>
    internal bool RetriesAtOnce { get; init; }

    /// <summary>Failures open the circuit for a day, and calls are then rejected at once.</summary>
    internal bool StaysOpen { get; init; }

    /// <summary>Each host has its own circuit; ours always has.</summary>
    internal bool ByAuthority { get; init; }

    internal bool HasHeaders { get; init; }

    internal bool Hedges { get; init; }

    /// <summary>Calls in flight to a host are limited; Microsoft's standard handler always limits them.</summary>
    internal bool HasLimit { get; init; }

    internal bool HasEmptyPipeline { get; init; }

    /// <summary>The client has three routes, one of which is that of the call; only ours knows them.</summary>
    internal bool HasRoutes { get; init; }

    /// <summary>Each response is asked for the quota of GitHub, which it does not report; only ours does so.</summary>
    internal bool HasQuota { get; init; }

    internal bool HasAdaptiveLimit { get; init; }

    /// <summary>The timeout of attempts is learned.</summary>
    internal bool Learns { get; init; }

    /// <summary>The API has two endpoints; only ours knows them.</summary>
    internal bool HasEndpoints { get; init; }

    /// <summary>A POST gets a key made of its content; only ours has that built in.</summary>
    internal bool HasContentKeys { get; init; }

    internal double FailureRatio => RetriesAtOnce ? 1 : 0.1;

    /// <summary>The clients that have these settings: Refit's handler retries, and does nothing else.</summary>
    internal IReadOnlyList<CostPeer> Peers =>
        [.. Enum.GetValues<CostPeer>().Where(peer => peer is not CostPeer.Refit || !(Hedges || HasLimit || HasEmptyPipeline))];

    internal PollySettings Polly => new()
    {
        Delay = Delay,
        Hedges = Hedges,
        FailureRatio = FailureRatio,
        Break = StaysOpen ? LongBreak : TimeSpan.FromSeconds(5),
    };

    /// <summary>The keys of POSTs permit Refit's handler to repeat them.</summary>
    internal HttpRetryOptions Refit => new() { BaseDelay = Delay, RetryUnsafeMethods = true };

    private TimeSpan Delay => RetriesAtOnce ? TimeSpan.Zero : TimeSpan.FromSeconds(1);
}
