namespace HttpResilience.Tests.Http;

/// <summary>A stream that can be read only once, as a network or a pipe gives it.</summary>
internal sealed class OneShotStream(byte[] bytes) : MemoryStream(bytes)
{
    internal int BytesRead { get; private set; }

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override long Seek(long offset, SeekOrigin loc) => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => Counted(base.Read(buffer, offset, count));

    public override int Read(Span<byte> buffer) => Counted(base.Read(buffer));

    public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
    {
        CopyTo(destination, bufferSize);
        return Task.CompletedTask;
    }

    public override void CopyTo(Stream destination, int bufferSize)
    {
        byte[] buffer = new byte[bufferSize];
        for (int read = Read(buffer, 0, bufferSize); read > 0; read = Read(buffer, 0, bufferSize))
            destination.Write(buffer, 0, read);
    }

    private int Counted(int read)
    {
        BytesRead += read;
        return read;
    }
}
