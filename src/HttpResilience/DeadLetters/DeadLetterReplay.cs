using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Claims letters that are due, sends them again, and writes down what became of them. Hosts whose circuit is open, that asked for a pause, or that enough is
/// on its way to are left alone. Stops claiming when the host stops, and lets what is on its way end.
/// </summary>
internal sealed partial class DeadLetterReplay(
    IDeadLetterStore store, DeadLetterSender sender, ClientStates clients, DeadLetterReplayOptions options, DeadLetterMeter meter, TimeProvider time,
    ILogger<DeadLetterReplay> logger) : BackgroundService
{
    internal static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RenewEvery = Lease / 3;
    // What other processes' leases, circuits that let a probe through and ended pauses make due is not told by anyone.
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan CountEvery = TimeSpan.FromSeconds(30);

    private readonly UnderWay _underWay = new(options);
    private readonly CancellationTokenSource _giveUp = new();
    private DateTimeOffset _countAgainAt;

    /// <summary>Stops claiming and waits for what is on its way, until the host loses patience: then that is cut off and given back.</summary>
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
                int claimed = await ClaimAsync(stoppingToken).ConfigureAwait(false);
                await CountAsync(stoppingToken).ConfigureAwait(false);
                failures = 0;
                if (claimed == 0)
                    await WaitForWorkAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                var pause = TimeSpan.FromSeconds(Math.Min(LongestPause.TotalSeconds, Math.Pow(2, failures++)));
                StoreFailed(logger, e, pause.TotalSeconds);
                await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await _underWay.UntilNoneAsync().ConfigureAwait(false);
    }

    private async Task<int> ClaimAsync(CancellationToken cancellationToken)
    {
        if (_underWay.Free is not (> 0 and var free) || Names() is not { Count: > 0 } names)
            return 0;

        var now = time.GetUtcNow();
        var letters = await store.ClaimAsync(
            new() { Clients = names, Now = now, LeaseUntil = now + Lease, Limit = free, Except = [.. ToBeLeftAlone()] }, cancellationToken).ConfigureAwait(false);
        foreach (var letter in letters)
            _underWay.Add(letter, () => ReplayAsync(letter), () => WriteAsync(letter, letter with { Status = DeadLetterStatus.Pending, DueAt = now }), cancellationToken);
        return letters.Count;
    }

    private async Task CountAsync(CancellationToken cancellationToken)
    {
        if (time.GetUtcNow() is var now && now < _countAgainAt)
            return;
        meter.Counted(await store.CountAsync(cancellationToken).ConfigureAwait(false));
        _countAgainAt = now + CountEvery;
    }

    private IReadOnlyCollection<string> Names() => [.. clients.Where(c => c.Policy.DeadLetter is not null).Select(c => c.Name)];

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

        foreach (var full in _underWay.Full)
            yield return full;
    }

    private async Task WaitForWorkAsync(CancellationToken cancellationToken)
    {
        // Ends early when a letter comes in or one that is on its way makes room.
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var letters = store.WaitForLettersAsync(LookEvery, enough.Token);
        await Task.WhenAny(letters, _underWay.UntilRoomAsync()).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
        await letters.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if (letters.IsFaulted)
            await letters.ConfigureAwait(false);
    }

    private async Task ReplayAsync(DeadLetter claimed)
    {
        if (await StillHeldAsync(claimed).ConfigureAwait(false) is not { } held)
            return;
        claimed = held;
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(_giveUp.Token);
        await using var lease = new LetterLease(store, claimed, Lease, RenewEvery, time, lost);
        DeadLetter result;
        try
        {
            result = await sender.SendAsync(claimed, lost.Token).ConfigureAwait(false);
        }
        catch (Exception) when (lost.IsCancellationRequested)
        {
            result = claimed with { Status = DeadLetterStatus.Pending, DueAt = time.GetUtcNow(), MayHaveBeenProcessed = true, Resolution = null };
        }
        catch (Exception e)
        {
            FailedOutside(logger, e, claimed.ClientName, claimed.Id);
            result = claimed with
            {
                Status = DeadLetterStatus.RequiresReview,
                SuggestedAction = "Check whether it was processed; then resolve it, or replay it",
                MayHaveBeenProcessed = true,
                Resolution = null,
                ErrorType = e.GetType().Name,
                // What handlers outside the chain throw may name what they know.
                ErrorTitle = "The replay failed outside the chain; see the log",
                ErrorDetail = null,
                LastFailedAt = time.GetUtcNow(),
            };
        }

        long version = await lease.EndAsync().ConfigureAwait(false);
        if (!await WriteAsync(claimed, result with { Version = version }).ConfigureAwait(false))
            return;
        meter.Replayed(result);
        Replayed(logger, LevelOf(result.Status), claimed.ClientName, claimed.Method, claimed.Authority, claimed.Id, result.Status, result.StatusCode, result.Replays);
    }

    /// <summary>A letter that has waited for its turn may be another worker's by now: its lease begins anew, or it is not sent.</summary>
    private async Task<DeadLetter?> StillHeldAsync(DeadLetter claimed)
    {
        if (claimed.DueAt - time.GetUtcNow() > Lease - RenewEvery)
            return claimed;
        var renewed = claimed with { DueAt = time.GetUtcNow() + Lease };
        return await WriteAsync(claimed, renewed).ConfigureAwait(false) ? renewed with { Version = renewed.Version + 1 } : null;
    }

    private async Task<bool> WriteAsync(DeadLetter claimed, DeadLetter result)
    {
        try
        {
            if (await store.UpdateAsync(result, CancellationToken.None).ConfigureAwait(false))
                return true;
            LeaseLost(logger, claimed.ClientName, claimed.Id);
        }
        catch (Exception e)
        {
            // The lease ends by itself, and the letter is sent again under the same key.
            ResultLost(logger, e, claimed.ClientName, claimed.Id, result.Status);
        }

        return false;
    }

    private static LogLevel LevelOf(DeadLetterStatus status) => status is DeadLetterStatus.RequiresReview ? LogLevel.Warning : LogLevel.Information;

    [LoggerMessage(EventId = 511, Message = "{ClientName} {Method} {Authority}: dead letter {DeadLetterId} is {Status} after status {StatusCode}, replays: {Replays}")]
    private static partial void Replayed(
        ILogger logger, LogLevel level, string clientName, string method, string authority, Guid deadLetterId, DeadLetterStatus status, int? statusCode, int replays);

    [LoggerMessage(512, LogLevel.Warning, "{ClientName}: dead letter {DeadLetterId} was taken over while it was being sent, as its lease had ended; what became of it is for the other to tell")]
    private static partial void LeaseLost(ILogger logger, string clientName, Guid deadLetterId);

    [LoggerMessage(513, LogLevel.Error, "{ClientName}: dead letter {DeadLetterId} is {Status}, but that could not be written down; it will be sent again under the same key")]
    private static partial void ResultLost(ILogger logger, Exception exception, string clientName, Guid deadLetterId, DeadLetterStatus status);

    [LoggerMessage(515, LogLevel.Error, "{ClientName}: dead letter {DeadLetterId} could not be sent again, something outside the chain failed")]
    private static partial void FailedOutside(ILogger logger, Exception exception, string clientName, Guid deadLetterId);

    [LoggerMessage(514, LogLevel.Error, "The store of dead letters fails, nothing is replayed; trying again in {Seconds} s")]
    private static partial void StoreFailed(ILogger logger, Exception exception, double seconds);
}
