namespace HttpResilience;

/// <summary>
/// The bytes of a <see cref="BodyRecord"/> in segments of pooled memory. The record calls each member under its lock; a reader may read the
/// memory of a segment outside it.
/// </summary>
/// <param name="memory">The pool.</param>
/// <param name="maxBytesInFlight">The limit of the pool.</param>
/// <param name="expected">The expected number of bytes; null when it is unknown.</param>
internal sealed class BodySegments(ReplayMemory memory, long maxBytesInFlight, long? expected)
{
    private Segment? _first;
    private Segment? _filling;
    private Segment? _last;

    /// <summary>The number of bytes that were added, those of freed segments included.</summary>
    internal long Length { get; private set; }

    /// <summary>Rents memory for more bytes.</summary>
    /// <returns>False when the limit of the pool is reached.</returns>
    internal bool TryGrow(int count)
    {
        for (long room = _last is null ? 0 : _last.Bytes.Length - _last.Length; room < count;)
        {
            long wanted = _last is null ? Math.Max(expected ?? 0, count) : Math.Max(2L * _last.Bytes.Length, count - room);
            if (memory.TryRent(wanted, maxBytesInFlight) is not { } bytes)
                return false;
            var segment = new Segment(bytes);
            if (_last is null)
                _first = segment;
            else
                _last.Next = segment;
            // A rented segment stays empty until the ones before it are full.
            _last = segment;
            room += bytes.Length;
        }

        return true;
    }

    /// <summary>Adds bytes, for which <see cref="TryGrow"/> has rented the memory.</summary>
    internal void Add(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        var segment = _filling ?? _first!;
        while (!bytes.IsEmpty)
        {
            if (segment.Length == segment.Bytes.Length)
                segment = segment.Next!;
            int count = Math.Min(bytes.Length, segment.Bytes.Length - segment.Length);
            bytes[..count].CopyTo(segment.Bytes.AsSpan(segment.Length));
            segment.Length += count;
            bytes = bytes[count..];
        }

        _filling = segment;
    }

    /// <summary>The bytes after a cursor that stand in one segment; empty when there are none yet.</summary>
    internal ReadOnlyMemory<byte> Read(Cursor cursor)
    {
        if (cursor.Position >= Length)
            return default;

        var segment = cursor.Segment ?? _first!;
        if (cursor.Offset == segment.Length)
            (segment, cursor.Offset) = (segment.Next!, 0);
        var bytes = segment.Bytes.AsMemory(cursor.Offset, segment.Length - cursor.Offset);
        (cursor.Segment, cursor.Offset) = (segment, segment.Length);
        return bytes;
    }

    internal byte[] ToArray()
    {
        byte[] copy = new byte[Length];
        int position = 0;
        for (var segment = _first; segment is not null; position += segment.Length, segment = segment.Next)
            segment.Bytes.AsSpan(0, segment.Length).CopyTo(copy.AsSpan(position));
        return copy;
    }

    internal void CopyTo(Stream destination)
    {
        for (var segment = _first; segment is not null; segment = segment.Next)
            destination.Write(segment.Bytes.AsSpan(0, segment.Length));
    }

    /// <summary>Returns the segments before a cursor to the pool; no other cursor may be in use.</summary>
    internal void FreeBefore(Cursor cursor)
    {
        bool isRead = cursor.Position >= Length;
        for (; _first is not null && (isRead || (cursor.Segment is { } current && _first != current)); _first = _first.Next)
            memory.Return(_first.Bytes);
        if (_first is null)
            _last = _filling = cursor.Segment = null;
    }

    /// <summary>Returns all segments to the pool.</summary>
    internal void Free()
    {
        for (; _first is not null; _first = _first.Next)
            memory.Return(_first.Bytes);
        (_last, _filling) = (null, null);
    }

    /// <summary>The place up to which a reader has read.</summary>
    internal class Cursor
    {
        internal Segment? Segment { get; set; }

        internal int Offset { get; set; }

        internal long Position { get; set; }
    }

    internal sealed class Segment(byte[] bytes)
    {
        internal byte[] Bytes => bytes;

        internal int Length { get; set; }

        internal Segment? Next { get; set; }
    }
}
