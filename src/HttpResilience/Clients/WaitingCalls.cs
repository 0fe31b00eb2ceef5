namespace HttpResilience;

/// <summary>
/// The calls of a client that wait for their next attempt and become dead letters when they fail. Their waits end when the host stops, and
/// the host stops after their letters are stored: no call is lost because the process ends during its wait.
/// </summary>
/// <param name="hostStopping">Cancelled when the host begins to stop.</param>
internal sealed class WaitingCalls(CancellationToken hostStopping)
{
    private static readonly CallFlag Kept = new();
    private static readonly CallFlag Waiting = new();

    private readonly Lock _gate = new();
    private TaskCompletionSource? _empty;
    private int _count;

    /// <summary>The calls that wait, and those whose letter is not stored yet.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
                return _count;
        }
    }

    internal static WaitingCalls Of(Client client) => client.GetOrAdd(static () => new WaitingCalls(CancellationToken.None));

    /// <summary>The call becomes a dead letter when it fails. <see cref="Leave"/> follows.</summary>
    internal static void Keep(HttpCall call) => Kept.Set(call, true);

    /// <summary>Whether the call must not wait any longer, because the host stops and the call becomes a dead letter.</summary>
    internal bool Ends(HttpCall call) => hostStopping.IsCancellationRequested && Kept.IsSet(call);

    /// <summary>The end of a wait of the call; null when the host stops without ending it.</summary>
    internal CancellationTokenSource? EndOf(HttpCall call, CancellationToken cancellationToken) =>
        Kept.IsSet(call) ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, hostStopping) : null;

    /// <summary>Waits until <paramref name="due"/>, or until the host stops.</summary>
    /// <exception cref="HostStoppingException">The host stops, and the call becomes a dead letter.</exception>
    internal static ValueTask UntilAsync(Client client, HttpCall call, long due, bool async, CancellationToken cancellationToken) =>
        Kept.IsSet(call)
            ? HoldUntilAsync(client, call, due, async, cancellationToken)
            : Delay.UntilAsync(client.Time, due, async, cancellationToken);

    // A method of its own: the closure is allocated only when it is needed.
    private static ValueTask HoldUntilAsync(Client client, HttpCall call, long due, bool async, CancellationToken cancellationToken) =>
        Of(client).HoldAsync(client.Time, call, due, token => Delay.UntilAsync(client.Time, due, async, token), cancellationToken);

    /// <summary>Waits for something else than a time, or until the host stops.</summary>
    /// <param name="due">The timestamp at which the wait ends at the latest.</param>
    /// <exception cref="HostStoppingException">The host stops, and the call becomes a dead letter.</exception>
    internal static ValueTask ForAsync(
        Client client, HttpCall call, long due, Func<CancellationToken, ValueTask> wait, CancellationToken cancellationToken) =>
        Kept.IsSet(call) ? Of(client).HoldAsync(client.Time, call, due, wait, cancellationToken) : wait(cancellationToken);

    private async ValueTask HoldAsync(
        TimeProvider time, HttpCall call, long due, Func<CancellationToken, ValueTask> wait, CancellationToken cancellationToken)
    {
        Enter(call);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, hostStopping);
        try
        {
            await wait(ends.Token).ConfigureAwait(false);
            Leave(call);
        }
        catch (OperationCanceledException e) when (hostStopping.IsCancellationRequested)
        {
            // Not left: the host waits for its letter.
            var stopped = new HostStoppingException(call.Host?.Key.Authority.ToString(), time.TimeUntil(due), call.LastAttempt, e);
            call.Stop(stopped.StopReason, stopped.FailureClass);
            throw stopped;
        }
    }

    /// <summary>The call waits no longer, and its letter, if any, is stored.</summary>
    internal void Leave(HttpCall call)
    {
        if (!Waiting.IsSet(call))
            return;
        Waiting.Set(call, false);
        lock (_gate)
        {
            if (--_count == 0)
                _empty?.TrySetResult();
        }
    }

    /// <summary>Waits until no call waits any more and the letters of those that have waited are stored.</summary>
    internal Task EmptyAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_count == 0)
                return Task.CompletedTask;
            _empty ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _empty.Task.WaitAsync(cancellationToken);
        }
    }

    private void Enter(HttpCall call)
    {
        Waiting.Set(call, true);
        lock (_gate)
            _count++;
    }
}
