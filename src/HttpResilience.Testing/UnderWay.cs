namespace HttpResilience.Testing;

/// <summary>Counts what is under way, and tells when nothing is any more.</summary>
internal sealed class UnderWay
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _none;
    private int _count;

    internal IDisposable Begin()
    {
        lock (_gate)
            _count++;
        return new One(this);
    }

    internal Task UntilNoneAsync()
    {
        lock (_gate)
        {
            if (_count == 0)
                return Task.CompletedTask;
            _none ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _none.Task;
        }
    }

    private void End()
    {
        lock (_gate)
        {
            if (--_count > 0)
                return;
            _none?.SetResult();
            _none = null;
        }
    }

    private sealed class One(UnderWay all) : IDisposable
    {
        public void Dispose() => all.End();
    }
}
