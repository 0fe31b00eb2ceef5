using System.Net;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Benchmarks;

/// <summary>The cost of one optional stage on a successful call, compared with Polly's pipeline and the equivalent strategy.</summary>
public class StageBenchmarks
{
    private const int Calls = 2000;

    private Clients _clients = null!;

    [ParamsAllValues]
    public OptionalStage Stage { get; set; }

    private RequestKind Kind => Stage switch
    {
        OptionalStage.Tenant => RequestKind.GetForTenant,
        OptionalStage.ContentKeys => RequestKind.PostWithoutKey,
        _ => RequestKind.Get,
    };

    [GlobalSetup]
    public void Setup() => _clients = new(
        () => new Stub(suspends: true, HttpStatusCode.OK),
        new() { Hedges = Stage is OptionalStage.Hedging },
        byAuthority: Stage is OptionalStage.Tenant,
        configure: options =>
        {
            options.Hedging.Enabled = Stage is OptionalStage.Hedging;
            options.Idempotency.KeySource = Stage is OptionalStage.ContentKeys ? KeySource.Content : KeySource.Random;
            if (Stage is OptionalStage.RateLimiter)
                options.RateLimiter = new();
        },
        completeChain: chain =>
        {
            if (Stage is OptionalStage.PollyHandler)
                chain.AddPollyHandler("empty", _ => { });
        },
        besidePolly: Stage switch
        {
            OptionalStage.RateLimiter => () => new ConcurrencyLimitHandler(),
            OptionalStage.PollyHandler => () => new EmptyPipelineHandler(),
            OptionalStage.ContentKeys => () => new ContentKeyHandler(),
            _ => null,
        });

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task Bare() => Load.RunAsync(_clients.Bare, Kind, Calls, threads: 1);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task Chain() => Load.RunAsync(_clients.Chain, Kind, Calls, threads: 1);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task Polly() => Load.RunAsync(_clients.Polly, Kind, Calls, threads: 1);

    internal static string NameOf(OptionalStage stage) => stage switch
    {
        OptionalStage.Hedging => "GET with hedging on, waited for",
        OptionalStage.RateLimiter => "GET with a concurrency limit, waited for",
        OptionalStage.PollyHandler => "GET with an empty Polly pipeline inside, waited for",
        OptionalStage.Tenant => "GET for a tenant, waited for",
        _ => "POST with a key made of its content, waited for",
    };
}

public enum OptionalStage
{
    Hedging,
    RateLimiter,
    PollyHandler,
    Tenant,
    ContentKeys,
}
