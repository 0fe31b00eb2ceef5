using System.Buffers;

namespace HttpResilience;

/// <summary>The stream into which a request content writes its body; it takes the place of the connection.</summary>
internal sealed class RecordingStream(BodyRecord record) : WriteStream
{
    private const int MaxSpan = 16 * 1024;

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled(cancellationToken)
            : record.TryAppend(buffer.Span) ? ValueTask.CompletedTask
            : record.HandOffAsync(buffer, async: true, cancellationToken);

    public override void Write(byte[] buffer, int offset, int count)
    {
        var bytes = buffer.AsMemory(offset, count);
        if (!record.TryAppend(bytes.Span))
            HandOff(bytes);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (record.TryAppend(buffer))
            return;

        // The reader runs on another thread, and a span cannot be handed over.
        byte[] copy = ArrayPool<byte>.Shared.Rent(Math.Min(buffer.Length, MaxSpan));
        try
        {
            for (; !buffer.IsEmpty; buffer = buffer[Math.Min(buffer.Length, copy.Length)..])
            {
                int count = Math.Min(buffer.Length, copy.Length);
                buffer[..count].CopyTo(copy);
                HandOff(copy.AsMemory(0, count));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    public override void Flush() => record.Flush();

    private void HandOff(ReadOnlyMemory<byte> bytes) =>
        record.HandOffAsync(bytes, async: false, CancellationToken.None).AsTask().GetAwaiter().GetResult();
}
