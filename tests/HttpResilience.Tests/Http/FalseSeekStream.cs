namespace HttpResilience.Tests.Http;

/// <summary>A stream that says it can seek, and fails to.</summary>
/// <param name="seek">It fails when its position is set.</param>
/// <param name="length">It fails when its length is read.</param>
/// <param name="position">It fails when its position is read.</param>
internal sealed class FalseSeekStream(byte[] bytes, bool seek = true, bool length = false, bool position = false) : MemoryStream(bytes)
{
    private bool _isMade;

    public override long Length => length ? throw new NotSupportedException() : base.Length;

    public override long Position
    {
        // StreamContent asks once when it is made.
        get => position && Interlocked.Exchange(ref _isMade, true) ? throw new IOException("No position.") : base.Position;
        set => base.Position = seek ? throw new NotSupportedException() : value;
    }

    public override long Seek(long offset, SeekOrigin loc) => seek ? throw new NotSupportedException() : base.Seek(offset, loc);
}
