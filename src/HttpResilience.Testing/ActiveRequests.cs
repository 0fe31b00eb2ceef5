namespace HttpResilience.Testing;

/// <summary>Counts the requests in progress and can wait until there are none.</summary>
internal sealed class ActiveRequests
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _none;
    private int _count;

    internal IDisposable Begin()
    {
        lock (_gate)
            _count++;
        return new Registration(this);
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

    private sealed class Registration(ActiveRequests all) : IDisposable
    {
        public void Dispose() => all.End();
    }
}
