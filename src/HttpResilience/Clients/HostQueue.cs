namespace HttpResilience;

/// <summary>
/// Hosts in the order in which they were added. Segments instead of one array, so that no addition copies them all; a segment, not each
/// host, has the time of the addition. Not thread-safe.
/// </summary>
internal sealed class HostQueue
{
    private Segment? _first;
    private Segment? _last;
    // The next host of the sweep; null for the start.
    private Segment? _swept;
    private int _sweptIndex;

    internal int Count { get; private set; }

    /// <summary>When the latest host of the first segment was added; <see cref="long.MaxValue"/> for an empty queue.</summary>
    internal long OldestAt => _first?.LatestAt ?? long.MaxValue;

    /// <param name="segmentSize">The number of hosts that share a time.</param>
    internal void Add(HostState host, long now, int segmentSize)
    {
        if (_last is not { IsFull: false })
        {
            var added = new Segment(segmentSize) { Previous = _last };
            if (_last is null)
                _first = added;
            else
                _last.Next = added;
            _last = added;
        }

        _last.Add(host, now);
        Count++;
    }

    /// <summary>Takes the first host of a queue that is not empty.</summary>
    /// <param name="addedAt">When the latest host of its segment was added.</param>
    internal HostState Take(out long addedAt)
    {
        var segment = _first!;
        addedAt = segment.LatestAt;
        return Remove(segment, segment.IndexFrom(0));
    }

    /// <summary>The next host of a sweep, which begins anew after the last one. The queue is not empty.</summary>
    internal HostState Sweep()
    {
        while (true)
        {
            _swept ??= _first!;
            int index = _swept.IndexFrom(_sweptIndex);
            if (index >= 0)
            {
                _sweptIndex = index + 1;
                return _swept.Hosts[index]!;
            }

            (_swept, _sweptIndex) = (_swept.Next, 0);
        }
    }

    /// <summary>Removes the host that <see cref="Sweep"/> has returned.</summary>
    internal void RemoveSwept() => Remove(_swept!, _sweptIndex - 1);

    private HostState Remove(Segment segment, int index)
    {
        var host = segment.Hosts[index]!;
        segment.Hosts[index] = null;
        Count--;
        if (--segment.Count == 0)
            Remove(segment);
        return host;
    }

    private void Remove(Segment segment)
    {
        if (segment.Previous is { } previous)
            previous.Next = segment.Next;
        else
            _first = segment.Next;
        if (segment.Next is { } next)
            next.Previous = segment.Previous;
        else
            _last = segment.Previous;
        if (_swept == segment)
            (_swept, _sweptIndex) = (segment.Next, 0);
    }

    /// <summary>A segment of the queue has at least one host.</summary>
    private sealed class Segment(int size)
    {
        private int _end;

        internal HostState?[] Hosts { get; } = new HostState?[size];

        internal int Count { get; set; }

        internal long LatestAt { get; private set; }

        internal Segment? Previous { get; set; }

        internal Segment? Next { get; set; }

        internal bool IsFull => _end == Hosts.Length;

        internal void Add(HostState host, long now)
        {
            Hosts[_end++] = host;
            Count++;
            LatestAt = now;
        }

        /// <summary>The index of the first host from another index on; negative when there is none.</summary>
        internal int IndexFrom(int index)
        {
            while (index < _end && Hosts[index] is null)
                index++;
            return index < _end ? index : -1;
        }
    }
}
