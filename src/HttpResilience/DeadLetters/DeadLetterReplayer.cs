using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>Sends one claimed letter again, keeps it claimed meanwhile, and writes down what became of it: for the worker, and for a person who wants it now.</summary>
internal sealed partial class DeadLetterReplayer(
    IDeadLetterStore store, DeadLetterSender sender, DeadLetterMeter meter, TimeProvider time, ILogger<DeadLetterReplay> logger)
{
    internal static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RenewEvery = Lease / 3;

    /// <summary>Whether letters of this client are sent from this process.</summary>
    internal bool Knows(string clientName) => sender.Knows(clientName);

    /// <param name="claimed">The letter, in progress, with the version that it has in the store.</param>
    /// <param name="giveUp">Cuts off what is on its way; the letter is due again at once.</param>
    /// <param name="place">Disposed when the answer is there: the next letter need not wait until it has been written down what became of this one.</param>
    internal async Task SendAsync(DeadLetter claimed, CancellationToken giveUp, IDisposable? place = null)
    {
        if (await StillHeldAsync(claimed).ConfigureAwait(false) is not { } held)
            return;
        claimed = held;
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(giveUp);
        var lease = new LetterLease(store, claimed, Lease, RenewEvery, time, lost);
        await using var released = lease.ConfigureAwait(false);
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

        place?.Dispose();
        long version = await lease.EndAsync().ConfigureAwait(false);
        if (!await WriteAsync(claimed, result with { Version = version }).ConfigureAwait(false))
            return;
        meter.Replayed(result);
        Replayed(logger, LevelOf(result.Status), claimed.ClientName, claimed.Method, claimed.Authority, claimed.Id, result.Status, result.StatusCode, result.Replays);
    }

    /// <summary>Writes down what became of a claimed letter, unless somebody else has taken it over.</summary>
    internal async Task<bool> WriteAsync(DeadLetter claimed, DeadLetter result)
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

    /// <summary>A letter that has waited for its turn may be another worker's by now: its lease begins anew, or it is not sent.</summary>
    private async Task<DeadLetter?> StillHeldAsync(DeadLetter claimed)
    {
        if (claimed.DueAt - time.GetUtcNow() > Lease - RenewEvery)
            return claimed;
        var renewed = claimed with { DueAt = time.GetUtcNow() + Lease };
        return await WriteAsync(claimed, renewed).ConfigureAwait(false) ? renewed with { Version = renewed.Version + 1 } : null;
    }

    private static LogLevel LevelOf(DeadLetterStatus status) => status is DeadLetterStatus.RequiresReview ? LogLevel.Warning : LogLevel.Information;

    [LoggerMessage(EventId = 511, Message = "{ClientName} {Method} {Authority}: dead letter {DeadLetterId} is {Status} after status {StatusCode}, replays: {Replays}")]
    private static partial void Replayed(
        ILogger logger, LogLevel level, string clientName, string method, string authority, Guid deadLetterId, DeadLetterStatus status, int? statusCode, int replays);

    [LoggerMessage(512, LogLevel.Warning, "{ClientName}: dead letter {DeadLetterId} was taken over while it was being sent, as its lease had ended; what became of it is for the other to tell")]
    private static partial void LeaseLost(ILogger logger, string clientName, Guid deadLetterId);

    [LoggerMessage(513, LogLevel.Error, "{ClientName}: dead letter {DeadLetterId} is {Status}, but that could not be written down; it will be sent again under the same key")]
    private static partial void ResultLost(ILogger logger, Exception exception, string clientName, Guid deadLetterId, DeadLetterStatus status);

    [LoggerMessage(515, LogLevel.Error, "{ClientName}: dead letter {DeadLetterId} could not be sent again, something outside the chain failed; it requires review")]
    private static partial void FailedOutside(ILogger logger, Exception exception, string clientName, Guid deadLetterId);
}
