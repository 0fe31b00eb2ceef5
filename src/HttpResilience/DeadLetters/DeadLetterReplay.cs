using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Claims letters that are due and has them sent again (<see cref="DeadLetterReplayer"/>). Hosts whose circuit is open, that asked for a pause, or that enough is
/// on its way to are left alone, and so are integrations that are paused. Stops claiming when the host stops, and lets what is on its way end.
/// </summary>
internal sealed partial class DeadLetterReplay(
    IDeadLetterStore store, DeadLetterReplayer replay, ClientStates clients, DeadLetterReplayOptions options, DeadLetterMeter meter, TimeProvider time,
    ILogger<DeadLetterReplay> logger) : BackgroundService
{
    // What other processes' leases, circuits that let a probe through and ended pauses make due is not told by anyone.
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan CountEvery = TimeSpan.FromSeconds(30);

    private readonly InFlightLetters _underWay = new(options, time);
    private readonly CancellationTokenSource _giveUp = new();
    private DateTimeOffset _countAgainAt;

    /// <summary>Stops claiming and waits for what is on its way, until the host loses timeout: then that is cut off and given back.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        using var impatience = cancellationToken.UnsafeRegister(static giveUp => ((CancellationTokenSource)giveUp!).Cancel(), _giveUp);
        await base.StopAsync(CancellationToken.None).ConfigureAwait(false);
    }

    public override void Dispose()
    {
        _giveUp.Dispose();
        _underWay.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        int failures = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var room = _underWay.UntilRoomAsync();
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
                StoreFailed(logger, e, pause.TotalSeconds);
                await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await _underWay.UntilNoneAsync().ConfigureAwait(false);
    }

    private async Task<int> ClaimAsync(CancellationToken stopping)
    {
        DeadLetterDestination[] leftAlone = [.. ToBeLeftAlone()];
        _underWay.Leave(leftAlone, stopping);
        if (Names() is not { Count: > 0 } names)
            return 0;

        // What has been claimed is taken in hand, and given back when the worker stops meanwhile: not lost half-way.
        var claims = _underWay.BelowTarget.Where(h => !leftAlone.Contains(h.Host)).Select(h => ClaimOfAsync(names, h.Host, h.Room, stopping)).ToList();
        if (_underWay.Free is > 0 and var free)
            claims.Add(ClaimAsync(Claim(names, free) with { Except = [.. leftAlone, .. _underWay.Full] }, stopping));
        return (await Task.WhenAll(claims).ConfigureAwait(false)).Sum();
    }

    private async Task<int> ClaimOfAsync(IReadOnlyCollection<string> names, DeadLetterDestination host, int room, CancellationToken stopping)
    {
        int claimed = await ClaimAsync(Claim(names, room) with { Only = host }, stopping).ConfigureAwait(false);
        if (claimed < room)
            _underWay.Exhausted(host);
        return claimed;
    }

    private async Task<int> ClaimAsync(DeadLetterClaim claim, CancellationToken stopping)
    {
        var letters = await store.ClaimAsync(claim, _giveUp.Token).ConfigureAwait(false);
        foreach (var letter in letters)
            _underWay.Add(letter, place => IsToBeLeftAlone(letter) ? GiveBackAsync(letter) : replay.SendAsync(letter, _giveUp.Token, place), () => GiveBackAsync(letter), stopping);
        return letters.Count;

        Task GiveBackAsync(DeadLetter letter) => replay.WriteAsync(letter, letter with { Status = DeadLetterStatus.Pending, DueAt = claim.Now });
    }

    private DeadLetterClaim Claim(IReadOnlyCollection<string> names, int limit)
    {
        var now = time.GetUtcNow();
        return new() { Clients = names, Now = now, LeaseUntil = now + DeadLetterReplayer.Lease, Limit = limit };
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
            // For the metrics alone: no reason not to send letters.
            CountFailed(logger, e);
        }
    }

    // A paused integration's letters wait until a probe is due: then one of them may be it.
    private IReadOnlyCollection<string> Names() => [.. clients.Where(c => c.Policy.DeadLetter is not null && !IsPaused(c)).Select(c => c.Name)];

    private static bool IsPaused(ClientState client) => client.Observers?.IsPaused(client) is true;

    private IEnumerable<DeadLetterDestination> ToBeLeftAlone()
    {
        foreach (var client in clients)
        {
            long now = client.Time.GetTimestamp();
            foreach (var host in client.Hosts.All)
            {
                // A tenant's own circuit stops that tenant's letters when they are sent.
                if (host.Key.Tenant is null && host.IsToBeLeftAlone(client.Policy, now))
                    yield return new(client.Name, host.Key.Authority.ToString());
            }
        }
    }

    // It may have become so since the letter was claimed.
    private bool IsToBeLeftAlone(DeadLetter letter) =>
        clients.FirstOrDefault(c => c.Name == letter.ClientName) is { } client
        && (IsPaused(client) || client.Hosts.Find(new(new(letter.Uri), null))?.IsToBeLeftAlone(client.Policy, client.Time.GetTimestamp()) is true);

    private async Task WaitForWorkAsync(Task room, CancellationToken cancellationToken)
    {
        // Ends early when a letter comes in or one that is on its way makes room.
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var letters = store.WaitForLettersAsync(PollInterval, enough.Token);
        await Task.WhenAny(letters, room).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
        await letters.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if (letters.IsFaulted)
            await letters.ConfigureAwait(false);
    }

    [LoggerMessage(516, LogLevel.Warning, "Dead letters could not be counted; the metrics tell the last count")]
    private static partial void CountFailed(ILogger logger, Exception exception);

    [LoggerMessage(514, LogLevel.Error, "The store of dead letters fails, nothing is replayed; trying again in {Seconds} s")]
    private static partial void StoreFailed(ILogger logger, Exception exception, double seconds);
}
