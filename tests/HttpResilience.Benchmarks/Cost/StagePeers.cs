using System.Security.Cryptography;
using System.Threading.RateLimiting;
using HttpResilience.Peers;
using Polly;

namespace HttpResilience.Benchmarks;

/// <summary>A minimal handler around the platform's concurrency limiter.</summary>
internal sealed class ConcurrencyLimitHandler : DelegatingHandler
{
    private readonly PartitionedRateLimiter<Uri> _limiter = PartitionedRateLimiter.Create<Uri, (string, string, int)>(static uri =>
        RateLimitPartition.GetConcurrencyLimiter((uri.Scheme, uri.Host, uri.Port), static _ => new() { PermitLimit = 1000 }));

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var lease = await _limiter.AcquireAsync(request.RequestUri!, permitCount: 1, cancellationToken).ConfigureAwait(false);
        return lease.IsAcquired ? await base.SendAsync(request, cancellationToken).ConfigureAwait(false)
            : throw new HttpRequestException("The limit is reached.");
    }
}

/// <summary>A handler around an empty Polly pipeline.</summary>
internal sealed class EmptyPipelineHandler : PipelineHandler
{
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>().Build();

    protected override ResiliencePipeline<HttpResponseMessage> PipelineFor(Uri uri) => _pipeline;
}

/// <summary>Adds an Idempotency-Key that is the hash of method, URI and body.</summary>
internal sealed class ContentKeyHandler : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(System.Text.Encoding.UTF8.GetBytes($"{request.Method} {request.RequestUri}"));
        hash.AppendData(await request.Content!.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false));
        request.Headers.TryAddWithoutValidation("Idempotency-Key", Convert.ToHexStringLower(hash.GetHashAndReset()));
        return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }
}
