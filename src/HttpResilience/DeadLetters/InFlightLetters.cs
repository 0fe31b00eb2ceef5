namespace HttpResilience;

/// <summary>
/// The claimed letters: those being sent and those waiting for their turn, by host. As many letters wait as are being sent; for a fast host
/// as many as it takes in half a second, so that one claim brings many. A slow host does not hold up the letters of others.
/// </summary>
internal sealed class InFlightLetters(DeadLetterReplayOptions options, TimeProvider time) : IDisposable
{
    /// <summary>
    /// The maximum of answered letters whose result is not stored yet: no more are claimed while the store is slower than the host.
    /// </summary>
    private const int MaxToWrite = 1024;

    /// <summary>The bytes of all claimed letters together; a letter that is longer is claimed alone.</summary>
    private const long MaxBytes = 32 * 1024 * 1024;

    /// <summary>After this time without a turn, waiting letters of a host are returned to the store for other workers.</summary>
    private static readonly TimeSpan TurnTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<DeadLetterDestination, HostLetters> _hosts = [];
    private readonly SemaphoreSlim _places = new(options.MaxConcurrency);
    private readonly int _perHost = Math.Min(options.MaxConcurrency, options.MaxConcurrencyPerAuthority);
    private TaskCompletionSource _room = NewSource();
    private TaskCompletionSource? _none;
    private int _inFlight;
    private long _bytes;
    private bool _isShortOfBytes;

    /// <summary>The bytes that the next letters may have; 0 while those in flight take all.</summary>
    internal long FreeBytes
    {
        get
        {
            lock (_gate)
            {
                _isShortOfBytes = _bytes >= MaxBytes;
                return Math.Max(0, MaxBytes - _bytes);
            }
        }
    }

    /// <summary>The number of letters to claim for all hosts together. Letters of fast hosts are claimed in addition.</summary>
    internal int Free
    {
        get
        {
            lock (_gate)
            {
                int unanswered = _hosts.Values.Sum(h => Math.Min(h.Unanswered, 2 * _perHost));
                return Math.Min(options.MaxConcurrency * 2 - unanswered, options.MaxConcurrencyPerAuthority);
            }
        }
    }

    /// <summary>Hosts with enough letters in flight, and fast hosts, whose letters are claimed separately.</summary>
    internal IReadOnlyList<DeadLetterDestination> Saturated
    {
        get
        {
            lock (_gate)
                return [.. _hosts.Where(h => h.Value.Unanswered > _perHost || IsFast(h.Value)).Select(h => h.Key)];
        }
    }

    /// <summary>Fast hosts with too few waiting letters, and the number of letters to claim for each.</summary>
    internal IReadOnlyList<(DeadLetterDestination Host, int Room)> BelowTarget
    {
        get
        {
            lock (_gate)
                return [.. _hosts.Where(h => IsBelowTarget(h.Value)).Select(h => (h.Key, TargetOf(h.Value) - h.Value.Waiting))];
        }
    }

    /// <summary>Adds a claimed letter.</summary>
    /// <param name="send">Sends it when its turn has come, and disposes its argument when the next letter may be sent.</param>
    /// <param name="giveBack">Returns it to the store: its host is released, or the worker stops, before its turn.</param>
    internal void Add(DeadLetter letter, Func<IDisposable, Task> send, Func<Task> giveBack, CancellationToken stopping)
    {
        lock (_gate)
        {
            var name = new DeadLetterDestination(letter.ClientName, letter.Authority);
            if (!_hosts.TryGetValue(name, out var host))
                _hosts[name] = host = new(_perHost, stopping);
            if (host.InFlight++ == 0)
                host.LastTurn = time.GetTimestamp();
            host.Unanswered++;
            host.Waiting++;
            host.IsExhausted = false;
            _inFlight++;
            _bytes += letter.Size;
            _ = RunAsync(host, letter.Size, send, giveBack, host.Released.Token);
        }
    }

    /// <summary>
    /// Records that the store has no more letters of a host: they are claimed with those of all others until one is added.
    /// </summary>
    internal void MarkExhausted(DeadLetterDestination name)
    {
        lock (_gate)
        {
            if (_hosts.TryGetValue(name, out var host))
                host.IsExhausted = true;
        }
    }

    /// <summary>Returns the waiting letters of unavailable and of stuck hosts to the store, and forgets hosts without letters.</summary>
    internal void Release(IReadOnlyCollection<DeadLetterDestination> unavailable, CancellationToken stopping)
    {
        List<CancellationTokenSource> released = [];
        lock (_gate)
        {
            foreach (var (name, host) in _hosts)
            {
                bool isStuck = host.Waiting > _perHost && time.GetElapsedTime(host.LastTurn) > TurnTimeout;
                if (host.Waiting > 0 && (isStuck || unavailable.Contains(name)))
                {
                    released.Add(host.Released);
                    host.Released = CancellationTokenSource.CreateLinkedTokenSource(stopping);
                    host.Pace = default;
                }
                else if (host.InFlight == 0 && time.GetElapsedTime(host.LastTurn) > TurnTimeout)
                {
                    _hosts.Remove(name);
                    host.Dispose();
                }
            }
        }

        foreach (var source in released)
        {
            source.Cancel();
            source.Dispose();
        }
    }

    /// <summary>
    /// Completes when there is room again. Call it before reading the room, so that room that becomes free meanwhile completes it too.
    /// </summary>
    internal Task UntilRoomAsync()
    {
        lock (_gate)
        {
            foreach (var host in _hosts.Values)
                host.IsNotified = false;
            return _room.Task;
        }
    }

    internal Task UntilNoneAsync()
    {
        lock (_gate)
            return _inFlight == 0 ? Task.CompletedTask : (_none ??= NewSource()).Task;
    }

    public void Dispose()
    {
        foreach (var host in _hosts.Values)
            host.Dispose();
        _places.Dispose();
    }

    private async Task RunAsync(
        HostLetters host, long size, Func<IDisposable, Task> send, Func<Task> giveBack, CancellationToken released)
    {
        // Goes on after the thread that adds the letter, which holds the lock.
        bool hasTurn = await TryEnterAsync(host.Places, released, ConfigureAwaitOptions.ForceYielding).ConfigureAwait(false);
        long began = time.GetTimestamp();
        bool isFree = hasTurn && await TryEnterAsync(_places, released).ConfigureAwait(false);
        lock (_gate)
        {
            host.Waiting--;
            host.LastTurn = began;
            if (isFree)
                NotifyOfRoom(host);
        }

        using var place = new Place(() => Vacate(host, hasTurn, isFree, began));
        try
        {
            await (isFree ? send(place) : giveBack()).ConfigureAwait(false);
        }
        finally
        {
            place.Dispose();
            lock (_gate)
            {
                host.InFlight--;
                _bytes -= size;
                NotifyOfRoom(host, always: _isShortOfBytes && _bytes <= MaxBytes / 2);
                if (--_inFlight == 0)
                    _none?.TrySetResult();
            }
        }
    }

    private void Vacate(HostLetters host, bool hasTurn, bool isFree, long began)
    {
        lock (_gate)
        {
            long now = time.GetTimestamp();
            host.LastTurn = now;
            if (isFree)
                host.Pace = host.Pace.With(now - began);
            host.Unanswered--;
            NotifyOfRoom(host, host.Unanswered == _perHost || host.Unanswered == 0);
        }

        if (isFree)
            _places.Release();
        if (hasTurn)
            host.Places.Release();
    }

    private static async Task<bool> TryEnterAsync(
        SemaphoreSlim places, CancellationToken released, ConfigureAwaitOptions options = ConfigureAwaitOptions.None)
    {
        Task entering = places.WaitAsync(released);
        await entering.ConfigureAwait(options | ConfigureAwaitOptions.SuppressThrowing);
        return entering.IsCompletedSuccessfully;
    }

    private int TargetOf(HostLetters host) => host.Pace.Ahead(_perHost, time.TimestampFrequency);

    private bool IsFast(HostLetters host) => !host.IsExhausted && TargetOf(host) > _perHost;

    private bool IsBelowTarget(HostLetters host) =>
        IsFast(host) && host.Waiting <= TargetOf(host) / 2 && host.InFlight - host.Unanswered < MaxToWrite;

    private void NotifyOfRoom(HostLetters host, bool always = false)
    {
        if (!always && (host.IsNotified || !IsBelowTarget(host)))
            return;
        host.IsNotified = true;
        var room = _room;
        _room = NewSource();
        room.SetResult();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class HostLetters(int places, CancellationToken stopping) : IDisposable
    {
        internal SemaphoreSlim Places { get; } = new(places);

        /// <summary>Cancelled when the waiting letters are returned to the store.</summary>
        internal CancellationTokenSource Released { get; set; } = CancellationTokenSource.CreateLinkedTokenSource(stopping);

        /// <summary>All claimed letters.</summary>
        internal int InFlight { get; set; }

        /// <summary>Letters without a response.</summary>
        internal int Unanswered { get; set; }

        /// <summary>Letters that wait for their turn.</summary>
        internal int Waiting { get; set; }

        internal ThroughputEstimate Pace { get; set; }

        /// <summary>The time when a call last started or ended.</summary>
        internal long LastTurn { get; set; }

        /// <summary>The store has no more letters.</summary>
        internal bool IsExhausted { get; set; }

        /// <summary>Room was notified, and not read since.</summary>
        internal bool IsNotified { get; set; }

        public void Dispose()
        {
            Places.Dispose();
            Released.Dispose();
        }
    }

    /// <summary>A place of a letter that is being sent; free after the first disposal.</summary>
    private sealed class Place(Action vacate) : IDisposable
    {
        private Action? _vacate = vacate;

        public void Dispose() => Interlocked.Exchange(ref _vacate, null)?.Invoke();
    }
}
