using System.Net;

namespace HttpResilience.Tests.Http;

/// <summary>A content that writes its body once, by a method, as those of Refit and gRPC do.</summary>
internal sealed class PushedContent(Func<Stream, CancellationToken, Task> write, long? length = null) : HttpContent
{
    private int _writes;

    internal int Writes => _writes;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _writes) > 1)
            throw new InvalidOperationException("The content is written twice.");
        return write(stream, cancellationToken);
    }

    protected override bool TryComputeLength(out long known)
    {
        known = length ?? 0;
        return length is not null;
    }
}
