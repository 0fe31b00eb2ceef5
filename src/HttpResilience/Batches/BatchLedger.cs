namespace HttpResilience;

/// <summary>The processed records: all before a position, and ranges behind it.</summary>
internal sealed class BatchLedger
{
    private readonly List<BatchRange> _done;

    internal BatchLedger(long position, IReadOnlyList<BatchRange> done) => (Position, _done) = (position, [.. done]);

    /// <summary>Every record before this index has been processed.</summary>
    internal long Position { get; private set; }

    internal IReadOnlyList<BatchRange> Done => [.. _done];

    internal bool Has(long index)
    {
        if (index < Position)
            return true;
        int at = FirstEndingAtOrAfter(index + 1);
        return at < _done.Count && _done[at].From <= index;
    }

    internal void Add(long index)
    {
        if (Has(index))
            return;

        if (index == Position)
        {
            Position++;
            if (_done is [var first, ..] && first.From == Position)
            {
                Position = first.To;
                _done.RemoveAt(0);
            }

            return;
        }

        // The first range that ends at the record or behind it: the range to extend, or the next one.
        int at = FirstEndingAtOrAfter(index);
        bool joinsBefore = at < _done.Count && _done[at].To == index;
        int next = joinsBefore ? at + 1 : at;
        bool joinsNext = next < _done.Count && _done[next].From == index + 1;
        if (joinsBefore && joinsNext)
        {
            _done[at] = new(_done[at].From, _done[next].To);
            _done.RemoveAt(next);
        }
        else if (joinsBefore)
        {
            _done[at] = _done[at] with { To = index + 1 };
        }
        else if (joinsNext)
        {
            _done[next] = _done[next] with { From = index };
        }
        else
        {
            _done.Insert(at, new(index, index + 1));
        }
    }

    private int FirstEndingAtOrAfter(long index)
    {
        int low = 0, high = _done.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_done[middle].To < index)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
