namespace HttpResilience.Peers;

/// <summary>A stream that says it can seek and cannot.</summary>
internal sealed class FalseSeekStream(byte[] bytes) : MemoryStream(bytes)
{
    public override long Position
    {
        get => base.Position;
        set => throw new NotSupportedException();
    }

    public override long Seek(long offset, SeekOrigin loc) => throw new NotSupportedException();
}
