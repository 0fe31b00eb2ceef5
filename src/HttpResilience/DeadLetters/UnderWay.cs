namespace HttpResilience;

/// <summary>
/// The letters in hand: how many are being sent, and where to. Of each host as many again wait in hand as are being sent, so that one trip to the store brings
/// several; a host that is slow holds up nobody else's letters.
/// </summary>
internal sealed class UnderWay(DeadLetterReplayOptions options) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<DeadLetterDestination, Destination> _destinations = [];
    private readonly HashSet<Task> _tasks = [];
    private int _inHand;
    private readonly SemaphoreSlim _places = new(options.MaxConcurrency);
    private TaskCompletionSource _room = NewSource();

    /// <summary>How many letters may be fetched at once.</summary>
    internal int Free
    {
        get
        {
            lock (_gate)
                return Math.Min(options.MaxConcurrency * 2 - _inHand, options.MaxConcurrencyPerAuthority);
        }
    }

    /// <summary>What enough is in hand for.</summary>
    internal IReadOnlyList<DeadLetterDestination> Full
    {
        get
        {
            lock (_gate)
                return [.. _destinations.Where(d => d.Value.InHand > options.MaxConcurrencyPerAuthority).Select(d => d.Key)];
        }
    }

    /// <summary>Takes a letter in hand.</summary>
    /// <param name="send">Sends it, once it has got a place.</param>
    internal void Add(DeadLetter letter, Func<Task> send, Func<Task> giveBack, CancellationToken stopping)
    {
        var name = new DeadLetterDestination(letter.ClientName, letter.Authority);
        lock (_gate)
        {
            if (!_destinations.TryGetValue(name, out var destination))
                _destinations[name] = destination = new(options.MaxConcurrencyPerAuthority);
            destination.InHand++;
            _inHand++;
            _tasks.RemoveWhere(t => t.IsCompleted);
            _tasks.Add(RunAsync(name, destination, send, giveBack, stopping));
        }
    }

    /// <summary>Completes when there is room again that there was not.</summary>
    internal Task UntilRoomAsync()
    {
        lock (_gate)
            return _room.Task;
    }

    internal Task UntilNoneAsync()
    {
        lock (_gate)
            return Task.WhenAll(_tasks);
    }

    public void Dispose() => _places.Dispose();

    private async Task RunAsync(DeadLetterDestination name, Destination destination, Func<Task> send, Func<Task> giveBack, CancellationToken stopping)
    {
        // Not before it is known to be in hand.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        bool hasPlace = await TryEnterAsync(destination.Places, stopping).ConfigureAwait(false);
        bool isFree = hasPlace && await TryEnterAsync(_places, stopping).ConfigureAwait(false);
        try
        {
            await (isFree ? send() : giveBack()).ConfigureAwait(false);
        }
        finally
        {
            if (isFree)
                _places.Release();
            if (hasPlace)
                destination.Places.Release();
            Remove(name, destination);
        }
    }

    private static async Task<bool> TryEnterAsync(SemaphoreSlim places, CancellationToken stopping)
    {
        Task entering = places.WaitAsync(stopping);
        await entering.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return entering.IsCompletedSuccessfully;
    }

    private void Remove(DeadLetterDestination name, Destination destination)
    {
        TaskCompletionSource? room = null;
        lock (_gate)
        {
            _inHand--;
            if (--destination.InHand == 0 && _destinations.Remove(name))
                destination.Places.Dispose();
            if (destination.InHand == options.MaxConcurrencyPerAuthority || destination.InHand == 0 || _inHand == options.MaxConcurrency)
                (room, _room) = (_room, NewSource());
        }

        room?.SetResult();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Destination(int places)
    {
        internal SemaphoreSlim Places { get; } = new(places);

        internal int InHand { get; set; }
    }
}
