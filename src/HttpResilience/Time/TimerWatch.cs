namespace HttpResilience;

/// <summary>
/// Ends the attempts of calls that block their thread when the platform's timers do not: those fire on threads of the pool, all of which
/// may be blocked. A thread of its own looks for them as long as such calls are made.
/// </summary>
internal sealed class TimerWatch
{
    private const int IdleRounds = 100;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly HashSet<AttemptTimer> _timers = [];
    private bool _isRunning;
    private bool _isUsed;

    /// <summary>A call that blocks its thread begins to use the timer.</summary>
    internal void Begin(AttemptTimer timer)
    {
        // A browser has one thread, which cannot block.
        if (OperatingSystem.IsBrowser())
            return;

        Volatile.Write(ref _isUsed, true);
        // Written before _isRunning is read, while the thread writes _isRunning before it reads _isUsed: one of the two sees the other.
        Interlocked.MemoryBarrier();
        if (timer.IsWatched && Volatile.Read(ref _isRunning))
            return;

        Add(timer);
        lock (_gate)
        {
            if (_isRunning)
                return;
            _isRunning = true;
        }

        new Thread(Run) { IsBackground = true, Name = "HttpResilience timeouts" }.UnsafeStart();
    }

    internal void Add(AttemptTimer timer)
    {
        lock (_gate)
            _timers.Add(timer);
        timer.IsWatched = true;
    }

    internal void Remove(AttemptTimer timer)
    {
        if (!timer.IsWatched)
            return;
        lock (_gate)
            _timers.Remove(timer);
    }

    /// <summary>Ends the attempts whose time was over a while ago.</summary>
    /// <returns>Whether a watched timer is in use.</returns>
    internal bool EndOverdue()
    {
        bool isUsed = false;
        List<AttemptTimer>? overdue = null;
        lock (_gate)
        {
            foreach (var timer in _timers)
            {
                isUsed |= timer.IsRunning;
                // The platform's timer comes first.
                if (timer.IsOverdue(Interval))
                    (overdue ??= []).Add(timer);
            }
        }

        overdue?.ForEach(static timer => timer.EndIfOverdue());
        return isUsed;
    }

    private void Run()
    {
        for (int idle = 0; idle < IdleRounds || !TryStop(); idle++)
        {
            // Waits without a timer.
            CancellationToken.None.WaitHandle.WaitOne(Interval);
            if (EndOverdue() || Interlocked.Exchange(ref _isUsed, false))
                idle = 0;
        }
    }

    private bool TryStop()
    {
        lock (_gate)
        {
            Volatile.Write(ref _isRunning, false);
            Interlocked.MemoryBarrier();
            return !(_isRunning = Volatile.Read(ref _isUsed));
        }
    }
}
