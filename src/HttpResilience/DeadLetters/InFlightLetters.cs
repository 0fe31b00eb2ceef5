namespace HttpResilience;

/// <summary>
/// The letters in hand: how many are being sent, and where to. Of each host as many again wait in hand as are being sent, and of one that is fast as many as it
/// takes in half a second, so that one trip to the store brings many; a host that is slow holds up nobody else's letters.
/// </summary>
internal sealed class InFlightLetters(DeadLetterReplayOptions options, TimeProvider time) : IDisposable
{
    /// <summary>What has been answered and not been written down yet: should the store not keep up, no more are sent.</summary>
    private const int MaxToWrite = 512;

    /// <summary>A host that nothing has come of for so long gets back what waits for it: others may be luckier.</summary>
    private static readonly TimeSpan TurnTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<DeadLetterDestination, HostInHand> _hosts = [];
    private readonly SemaphoreSlim _places = new(options.MaxConcurrency);
    private readonly int _perHost = Math.Min(options.MaxConcurrency, options.MaxConcurrencyPerAuthority);
    private TaskCompletionSource _room = NewSource();
    private TaskCompletionSource? _none;
    private int _inHand;

    /// <summary>How many letters may be fetched at once, wherever they go: those of fast hosts come extra, and leave the others their room.</summary>
    internal int Free
    {
        get
        {
            lock (_gate)
                return Math.Min(options.MaxConcurrency * 2 - _hosts.Values.Sum(h => Math.Min(h.Ahead, 2 * _perHost)), options.MaxConcurrencyPerAuthority);
        }
    }

    /// <summary>What enough is in hand for, or what is fetched for by itself.</summary>
    internal IReadOnlyList<DeadLetterDestination> Full
    {
        get
        {
            lock (_gate)
                return [.. _hosts.Where(h => h.Value.Ahead > _perHost || IsFast(h.Value)).Select(h => h.Key)];
        }
    }

    /// <summary>Fast hosts for which it is worth a trip to the store, and how many letters they could do with.</summary>
    internal IReadOnlyList<(DeadLetterDestination Host, int Room)> BelowTarget
    {
        get
        {
            lock (_gate)
                return [.. _hosts.Where(h => IsHungry(h.Value)).Select(h => (h.Key, AheadOf(h.Value) - h.Value.Waiting))];
        }
    }

    /// <summary>Takes a letter in hand.</summary>
    /// <param name="send">Sends it, once it has got a place; what it is given it disposes when the place is free again.</param>
    /// <param name="giveBack">What is done instead when the host is left, or the worker stops, before it has got one.</param>
    internal void Add(DeadLetter letter, Func<IDisposable, Task> send, Func<Task> giveBack, CancellationToken stopping)
    {
        lock (_gate)
        {
            var name = new DeadLetterDestination(letter.ClientName, letter.Authority);
            if (!_hosts.TryGetValue(name, out var host))
                _hosts[name] = host = new(_perHost, stopping);
            if (host.InHand++ == 0)
                host.LastTurn = time.GetTimestamp();
            host.Ahead++;
            host.Waiting++;
            host.Exhausted = false;
            _inHand++;
            _ = RunAsync(host, send, giveBack, host.Wanted.Token);
        }
    }

    /// <summary>The store has fewer letters of a host than asked for: it is looked for with all others until there is one again.</summary>
    internal void Exhausted(DeadLetterDestination name)
    {
        lock (_gate)
        {
            if (_hosts.TryGetValue(name, out var host))
                host.Exhausted = true;
        }
    }

    /// <summary>Gives back what waits for hosts that are to be left alone, and for those that nothing has come of for a while; forgets those that have no letters.</summary>
    internal void Leave(IReadOnlyCollection<DeadLetterDestination> toBeLeftAlone, CancellationToken stopping)
    {
        List<CancellationTokenSource> over = [];
        lock (_gate)
        {
            foreach (var (name, host) in _hosts)
            {
                bool isStuck = host.Waiting > _perHost && time.GetElapsedTime(host.LastTurn) > TurnTimeout;
                if (host.Waiting > 0 && (isStuck || toBeLeftAlone.Contains(name)))
                {
                    over.Add(host.Wanted);
                    host.Wanted = CancellationTokenSource.CreateLinkedTokenSource(stopping);
                    host.Pace = default;
                }
                else if (host.InHand == 0 && time.GetElapsedTime(host.LastTurn) > TurnTimeout)
                {
                    _hosts.Remove(name);
                    host.Dispose();
                }
            }
        }

        foreach (var source in over)
        {
            source.Cancel();
            source.Dispose();
        }
    }

    /// <summary>Completes when there is room again. Ask for it before looking how much there is: what becomes free meanwhile is told, too.</summary>
    internal Task UntilRoomAsync()
    {
        lock (_gate)
        {
            foreach (var host in _hosts.Values)
                host.IsTold = false;
            return _room.Task;
        }
    }

    internal Task UntilNoneAsync()
    {
        lock (_gate)
            return _inHand == 0 ? Task.CompletedTask : (_none ??= NewSource()).Task;
    }

    public void Dispose()
    {
        foreach (var host in _hosts.Values)
            host.Dispose();
        _places.Dispose();
    }

    private async Task RunAsync(HostInHand host, Func<IDisposable, Task> send, Func<Task> giveBack, CancellationToken wanted)
    {
        // Not before it is known to be in hand.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        bool hasTurn = await TryEnterAsync(host.Places, wanted).ConfigureAwait(false);
        long began = time.GetTimestamp();
        bool isFree = hasTurn && await TryEnterAsync(_places, wanted).ConfigureAwait(false);
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
                host.InHand--;
                NotifyOfRoom(host);
                if (--_inHand == 0)
                    _none?.TrySetResult();
            }
        }
    }

    private void Vacate(HostInHand host, bool hasTurn, bool isFree, long began)
    {
        lock (_gate)
        {
            long now = time.GetTimestamp();
            host.LastTurn = now;
            if (isFree)
                host.Pace = host.Pace.With(now - began);
            host.Ahead--;
            NotifyOfRoom(host, host.Ahead == _perHost || host.Ahead == 0);
        }

        if (isFree)
            _places.Release();
        if (hasTurn)
            host.Places.Release();
    }

    private static async Task<bool> TryEnterAsync(SemaphoreSlim places, CancellationToken wanted)
    {
        Task entering = places.WaitAsync(wanted);
        await entering.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return entering.IsCompletedSuccessfully;
    }

    private int AheadOf(HostInHand host) => host.Pace.Ahead(_perHost, time.TimestampFrequency);

    private bool IsFast(HostInHand host) => !host.Exhausted && AheadOf(host) > _perHost;

    private bool IsHungry(HostInHand host) => IsFast(host) && host.Waiting <= AheadOf(host) / 2 && host.InHand - host.Ahead < MaxToWrite;

    private void NotifyOfRoom(HostInHand host, bool always = false)
    {
        if (!always && (host.IsTold || !IsHungry(host)))
            return;
        host.IsTold = true;
        var room = _room;
        _room = NewSource();
        room.SetResult();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class HostInHand(int places, CancellationToken stopping) : IDisposable
    {
        internal SemaphoreSlim Places { get; } = new(places);

        /// <summary>Cancelled when those that wait are to be given back.</summary>
        internal CancellationTokenSource Wanted { get; set; } = CancellationTokenSource.CreateLinkedTokenSource(stopping);

        /// <summary>All that are claimed.</summary>
        internal int InHand { get; set; }

        /// <summary>Those that have no answer yet.</summary>
        internal int Ahead { get; set; }

        /// <summary>Those of them that are not being sent.</summary>
        internal int Waiting { get; set; }

        internal ThroughputEstimate Pace { get; set; }

        /// <summary>When one last began or ended.</summary>
        internal long LastTurn { get; set; }

        /// <summary>The store has no more.</summary>
        internal bool Exhausted { get; set; }

        /// <summary>It was told that there is room, and nobody has looked since.</summary>
        internal bool IsTold { get; set; }

        public void Dispose()
        {
            Places.Dispose();
            Wanted.Dispose();
        }
    }

    /// <summary>A place among those that are sent at once, free again when it is disposed for the first time.</summary>
    private sealed class Place(Action vacate) : IDisposable
    {
        private Action? _vacate = vacate;

        public void Dispose() => Interlocked.Exchange(ref _vacate, null)?.Invoke();
    }
}
