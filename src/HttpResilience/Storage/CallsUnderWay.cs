namespace HttpResilience;

/// <summary>Counts the calls of all clients that are under way, for other processes.</summary>
internal sealed class CallsUnderWay : CallObserver
{
    private static readonly CallFlag IsCounted = new();

    private int _count;

    internal int Count => Volatile.Read(ref _count);

    protected internal override IntegrationPausedException? CallStarting(ObservedClient client, HttpCall httpCall)
    {
        IsCounted.Set(httpCall, true);
        Interlocked.Increment(ref _count);
        return null;
    }

    // A call that was answered before its first attempt has not begun.
    protected internal override void CallEnded(in EndedCall ended)
    {
        if (!IsCounted.IsSet(ended.Call))
            return;
        IsCounted.Set(ended.Call, false);
        Interlocked.Decrement(ref _count);
    }
}
