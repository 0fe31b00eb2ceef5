using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Claims due letters and replays them (<see cref="DeadLetterReplayer"/>). Hosts are skipped while their circuit is open, they have asked
/// for a pause, or enough letters to them are in flight; so are paused integrations, and hosts to which this process may not send: another
/// one may, whose client of the same name has another base address. When the host stops, claiming stops and letters in
/// flight are completed.
/// </summary>
internal sealed partial class DeadLetterReplayWorker(
    IDeadLetterStore store, DeadLetterReplayer replayer, ResilientClients clients, DeadLetterReplayOptions options, DeadLetterMeter meter,
    TimeProvider time, ILoggerFactory loggers) : DetachedWorker
{
    private const string LogCategory = DeadLetterReplayer.LogCategory;

    // Expired leases of other processes, circuits that accept a probe and ended pauses raise no event.
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan SuspectInterval = TimeSpan.FromSeconds(1);

    /// <summary>For this time the letters of a destination that another process serves are not claimed.</summary>
    private static readonly TimeSpan ForeignInterval = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan CountEvery = TimeSpan.FromSeconds(30);

    /// <summary>
    /// While fast hosts are drained, the letters of all others are asked for this often: the answer is mostly that there are none, and it
    /// costs the store as much as many letters.
    /// </summary>
    private static readonly TimeSpan OthersInterval = TimeSpan.FromMilliseconds(100);

    private const int MaxForeign = 1000;

    // The first letter of each destination to which this process may not send; asked again, because the configuration may change.
    private readonly ConcurrentDictionary<DeadLetterDestination, (DeadLetter Letter, DateTimeOffset Until)> _foreign = new();
    private readonly InFlightLetters _inFlight = new(options, time);
    private readonly ILogger _logger = loggers.CreateLogger(LogCategory);
    private readonly CancellationTokenSource _giveUp = new();
    private DateTimeOffset _countAgainAt;
    private (DeadLetterClaim Claim, long At)? _noOthers;
    private readonly Lock _gate = new();
    private int _suspects;
    private DateTimeOffset _suspectsUntil;

    /// <summary>
    /// Stops claiming and waits for letters in flight; when the host's timeout ends, they are cancelled and returned to the store.
    /// </summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        using var timeout = cancellationToken.UnsafeRegister(static giveUp => ((CancellationTokenSource)giveUp!).Cancel(), _giveUp);
        await base.StopAsync(CancellationToken.None).ConfigureAwait(false);
    }

    public override void Dispose()
    {
        _giveUp.Dispose();
        _inFlight.Dispose();
        base.Dispose();
    }

    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        int failures = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var room = _inFlight.UntilRoomAsync();
                int claimed = await ClaimAsync(stoppingToken).ConfigureAwait(false);
                await CountAsync(stoppingToken).ConfigureAwait(false);
                failures = 0;
                if (claimed == 0)
                    await WaitForWorkAsync(room, stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                var pause = TimeSpan.FromSeconds(Math.Min(MaxPause.TotalSeconds, Math.Pow(2, failures++)));
                StoreFailed(_logger, e, pause.TotalSeconds);
                await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await _inFlight.UntilNoneAsync().ConfigureAwait(false);
    }

    private async Task<int> ClaimAsync(CancellationToken stopping)
    {
        DeadLetterDestination[] unavailable = [.. UnavailableDestinations()];
        _inFlight.Release(unavailable, stopping);
        // Not released: among the claimed letters of another process may be one that a person wants to be sent.
        DeadLetterDestination[] skipped = [.. unavailable, .. ForeignDestinations()];
        if (Names() is not { Count: > 0 } names)
            return 0;

        if (_inFlight.FreeBytes is not (> 0 and var bytes))
            return 0;
        List<DeadLetterClaim> claims =
            [.. _inFlight.BelowTarget.Where(h => !skipped.Contains(h.Host)).Select(h => Claim(names, h.Room) with { Only = h.Host })];
        if (OthersClaim() is { } others && !HadNone(others))
            claims.Add(others);
        int claimed = await ClaimAllAsync().ConfigureAwait(false);
        if (claimed > 0 || claims.Exists(c => c.Only is null) || claims.Count == 0)
            return claimed;
        // The fast hosts have no more letters: before the worker waits, it asks for those of all others.
        claims = [.. new[] { OthersClaim() }.OfType<DeadLetterClaim>()];
        return await ClaimAllAsync().ConfigureAwait(false);

        DeadLetterClaim? OthersClaim() => _inFlight.Free is > 0 and var free
            ? Claim(names, free) with { Except = [.. skipped, .. _inFlight.Saturated] } : null;

        async Task<int> ClaimAllAsync() => (await Task.WhenAll(
            claims.Select(c => ClaimAsync(c with { MaxBytes = bytes / claims.Count }, stopping))).ConfigureAwait(false)).Sum();
    }

    /// <summary>Whether a claim just now brought none, and no host or client has become available since.</summary>
    private bool HadNone(DeadLetterClaim others) => _noOthers is { } none && time.GetElapsedTime(none.At) < OthersInterval
        && none.Claim.Except.All(others.Except.Contains) && others.Clients.All(none.Claim.Clients.Contains);

    private async Task<int> ClaimAsync(DeadLetterClaim claim, CancellationToken stopping)
    {
        // Not cancelled by the stop: claimed letters are sent, or returned to the store.
        var letters = await store.ClaimAsync(claim, _giveUp.Token).ConfigureAwait(false);
        foreach (var letter in letters.Where(l => !DeadLetterDecision.IsSuspect(l)))
            _inFlight.Add(letter, place => SendAsync(letter, place), () => ReturnAsync(letter), stopping);
        await TakeSuspectsAsync([.. letters.Where(DeadLetterDecision.IsSuspect)]).ConfigureAwait(false);

        // A claim near its limit of bytes may have left due letters in the store.
        if (claim.Only is { } host && letters.Count < claim.Limit && letters.Sum(l => l.Size) < claim.MaxBytes / 2)
            _inFlight.MarkExhausted(host);
        if (claim.Only is null)
            _noOthers = letters.Count == 0 ? (claim, time.GetTimestamp()) : null;
        return letters.Count;

        // Sending the first letter may end the process: the others are returned before.
        async Task TakeSuspectsAsync(List<DeadLetter> suspects)
        {
            if (suspects.Count == 0)
                return;
            bool isTurn = claim.Only is null && Interlocked.CompareExchange(ref _suspects, 1, 0) == 0;
            var first = suspects[0];
            foreach (var (index, letter) in suspects.Skip(isTurn ? 1 : 0).Index())
                await ReturnLaterAsync(letter, index + 1).ConfigureAwait(false);
            if (isTurn)
                _inFlight.Add(first, place => SendSuspectAsync(first, place), () => ReturnSuspectAsync(first), stopping);
        }

        async Task SendSuspectAsync(DeadLetter letter, IDisposable place)
        {
            try
            {
                await SendAsync(letter, place).ConfigureAwait(false);
            }
            finally
            {
                Volatile.Write(ref _suspects, 0);
            }
        }

        async Task ReturnSuspectAsync(DeadLetter letter)
        {
            Volatile.Write(ref _suspects, 0);
            await ReturnAsync(letter).ConfigureAwait(false);
        }

        Task ReturnLaterAsync(DeadLetter letter, int turn)
        {
            var due = claim.Now + (turn * SuspectInterval);
            lock (_gate)
                _suspectsUntil = due + SuspectInterval > _suspectsUntil ? due + SuspectInterval : _suspectsUntil;
            return WriteDueAsync(letter, due);
        }

        // The destination may have become unavailable since the claim.
        Task SendAsync(DeadLetter letter, IDisposable place) =>
            IsUnavailable(letter) || IsForeign(letter) ? ReturnAsync(letter)
            : PauseOfTenant(letter) is { } pause ? WriteDueAsync(letter, time.GetUtcNow() + pause)
            : replayer.SendAsync(letter, _giveUp.Token, place);

        Task ReturnAsync(DeadLetter letter) => WriteDueAsync(letter, claim.Now);

        Task WriteDueAsync(DeadLetter letter, DateTimeOffset dueAt) =>
            replayer.WriteAsync(letter, letter with { Status = DeadLetterStatus.Pending, DueAt = dueAt });
    }

    private DeadLetterClaim Claim(IReadOnlyCollection<string> names, int limit)
    {
        var now = time.GetUtcNow();
        return new()
        {
            Applications = [.. options.Applications],
            Clients = names,
            Now = now,
            LeaseUntil = now + DeadLetterReplayer.LeaseLength,
            Limit = limit,
        };
    }

    private async Task CountAsync(CancellationToken cancellationToken)
    {
        if (time.GetUtcNow() is var now && now < _countAgainAt)
            return;
        _countAgainAt = now + CountEvery;
        try
        {
            meter.Counted(await store.CountAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Only the metrics need the count: letters are sent all the same.
            CountFailed(_logger, e);
        }
    }

    // The letters of a paused integration wait until a probe is due; one of them may serve as the probe.
    private IReadOnlyCollection<string> Names() =>
        [.. clients.Where(c => c.Policy.ClientDeadLetter is not null && !IsPaused(c)).Select(c => c.Name)];

    private static bool IsPaused(Client client) => client.Observers?.IsPaused(client) is true;

    private IEnumerable<DeadLetterDestination> ForeignDestinations()
    {
        foreach (var (destination, (letter, until)) in _foreign)
        {
            if (replayer.MaySendAsKnown(letter))
                _foreign.TryRemove(destination, out _);
            else if (time.GetUtcNow() < until)
                yield return destination;
        }
    }

    private IEnumerable<DeadLetterDestination> UnavailableDestinations()
    {
        foreach (var client in clients)
        {
            long now = client.Time.GetTimestamp();
            foreach (var host in client.Hosts.All)
            {
                // The circuit of a tenant applies to that tenant's letters only, when they are sent.
                if (host.Key.Tenant is null && host.IsUnavailable(client.Policy, now))
                    yield return new(client.Name, host.Key.Authority.ToString());
            }
        }
    }

    // A replay that a person requested, and a row that cannot be sent, are not returned to the store: they get a result with a reason.
    private bool IsForeign(DeadLetter letter)
    {
        if (letter.Resolution is not null || DeadLetterDecision.OfRow(letter) is not null || replayer.MaySend(letter))
            return false;
        if (_foreign.Count >= MaxForeign)
            _foreign.Clear();
        var (destination, seen) = (new DeadLetterDestination(letter.ClientName, letter.Authority),
            (letter with { Body = null, Headers = [] }, time.GetUtcNow() + ForeignInterval));
        if (!_foreign.TryAdd(destination, seen))
            _foreign[destination] = seen;
        else
            Foreign(_logger, letter.ClientName, letter.Authority);
        return true;
    }

    private bool IsUnavailable(DeadLetter letter)
    {
        if (clients.FirstOrDefault(c => c.Name == letter.ClientName) is not { } client)
            return false;
        return IsPaused(client)
            || client.Hosts.Find(new(new(letter.Uri), null))?.IsUnavailable(client.Policy, client.Time.GetTimestamp()) is true;
    }

    // A claim excludes hosts, not tenants: their letters are claimed once and are due again when the pause ends.
    private TimeSpan? PauseOfTenant(DeadLetter letter)
    {
        if (clients.FirstOrDefault(c => c.Name == letter.ClientName) is not { } client)
            return null;
        long now = client.Time.GetTimestamp();
        return client.Hosts.Find(new(new(letter.Uri), null))?.PauseAt(now, letter.Tenant) is { } pause
            ? client.Time.GetElapsedTime(now, pause.Until) : null;
    }

    private async Task WaitForWorkAsync(Task room, CancellationToken cancellationToken)
    {
        // Ends early when a letter is added to the store, or one in flight makes room.
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var letters = store.WaitForLettersAsync(time.GetUtcNow() < _suspectsUntil ? SuspectInterval : PollInterval, enough.Token);
        await Task.WhenAny(letters, room).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
        await letters.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (letters.IsCompletedSuccessfully)
            _noOthers = null;
        cancellationToken.ThrowIfCancellationRequested();
        if (letters.IsFaulted)
            await letters.ConfigureAwait(false);
    }

    [LoggerMessage(
        545, LogLevel.Error,
        "{ClientName}: dead letters for {Authority} are left to another process, because here the client has another base address. If none "
        + "has that one, add the host to DeadLetter:AllowedAuthorities, or resolve the letters")]
    private static partial void Foreign(ILogger logger, string clientName, string authority);

    [LoggerMessage(516, LogLevel.Warning, "Dead letters could not be counted; the metrics keep the last count")]
    private static partial void CountFailed(ILogger logger, Exception exception);

    [LoggerMessage(514, LogLevel.Error, "The dead-letter store fails; no letters are replayed. Next try in {Seconds} s")]
    private static partial void StoreFailed(ILogger logger, Exception exception, double seconds);
}
