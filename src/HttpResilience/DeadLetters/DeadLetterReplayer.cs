using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Sends one claimed letter again through its client, renews the claim meanwhile and stores the result: for the worker, and for a person
/// who wants it sent at once.
/// </summary>
internal sealed partial class DeadLetterReplayer(
    IDeadLetterStore store, IServiceProvider services, IHttpClientFactory clients, DeadLetterMeter meter, TimeProvider time,
    ILoggerFactory loggers)
{
    /// <summary>The log category of everything that replays letters.</summary>
    internal const string LogCategory = "HttpResilience.DeadLetterReplay";

    internal static readonly TimeSpan LeaseLength = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RenewEvery = LeaseLength / 3;

    private readonly ILogger _logger = loggers.CreateLogger(LogCategory);

    /// <summary>Whether the client belongs to this process and keeps letters.</summary>
    internal bool Knows(string clientName) =>
        services.GetServices<ResilientClient>().ToArray() is var known && !known.Any(c => c.IsRemoved && c.Name == clientName)
        && known.Any(c => !c.IsRemoved && (c.Name is null || c.Name == clientName))
        && services.GetRequiredKeyedService<Client>(clientName).Policy.ClientDeadLetter is not null;

    /// <summary>
    /// Whether this process may send a letter to its host. A client of the same name in another process may have another base address.
    /// </summary>
    internal bool MaySend(DeadLetter letter) => MaySend(letter.ClientName, letter.Uri);

    /// <inheritdoc cref="MaySend(DeadLetter)"/>
    internal bool MaySend(string clientName, Uri uri)
    {
        try
        {
            var client = services.GetRequiredKeyedService<Client>(clientName);
            if (MaySendAsKnown(clientName, uri))
                return true;
            using var httpClient = clients.CreateClient(client.HttpClientName);
            return ReplayResult.MayGoThere(client, uri, httpClient.BaseAddress, services);
        }
        catch (Exception)
        {
            // The application's configuration of the client failed; sending reports it.
            return true;
        }
    }

    /// <summary>The same as far as it is known without a client of the factory, which is true for most letters.</summary>
    internal bool MaySendAsKnown(DeadLetter letter) => MaySendAsKnown(letter.ClientName, letter.Uri);

    private bool MaySendAsKnown(string clientName, Uri uri)
    {
        var client = services.GetRequiredKeyedService<Client>(clientName);
        return client.Policy.ClientDeadLetter is { } policy
            && (policy.MayGoTo(uri, baseAddress: null) || BaseAddresses.Of(client).Knows(uri));
    }

    /// <summary>Sends a letter and stores the result.</summary>
    /// <param name="claimed">The letter, in progress, with its version in the store.</param>
    /// <param name="giveUp">Cancels the call; the letter is due again at once.</param>
    /// <param name="place">
    /// Disposed when the response has arrived: the next letter need not wait until the result of this one is stored.
    /// </param>
    internal async Task SendAsync(DeadLetter claimed, CancellationToken giveUp, IDisposable? place = null)
    {
        if (await StillHeldAsync(claimed).ConfigureAwait(false) is not { } held)
            return;
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(giveUp);
        var lease = new LetterLease(store, held, LeaseLength, RenewEvery, time, lost);
        await using var released = lease.ConfigureAwait(false);
        DeadLetter result;
        ReplayAttempt? attempt = null;
        try
        {
            var client = services.GetRequiredKeyedService<Client>(claimed.ClientName);
            using var httpClient = ReplayPipeline.Of(client, services).CreateClient(clients);
            attempt = new(client, httpClient, services);
            result = await attempt.SendAsync(claimed, lost.Token).ConfigureAwait(false);
        }
        catch (Exception) when (lost.IsCancellationRequested)
        {
            result = ReplayResult.Cancelled(claimed, time.GetUtcNow());
        }
        catch (Exception e)
        {
            FailedOutside(_logger, attempt?.Loggable(claimed, e) ?? e.Loggable, claimed.ClientName, claimed.Id);
            result = ReplayResult.FailedOutside(claimed, e, time.GetUtcNow());
        }

        place?.Dispose();
        result = LetterHistory.AfterReplay(claimed, result, InstanceName.Current, time.GetUtcNow());
        long version = await lease.EndAsync().ConfigureAwait(false);
        // A result ends the series of leases without one; a letter that is in review because of it keeps its number.
        int takeovers = result.Takeovers < DeadLetterDecision.MaxTakeovers ? 0 : result.Takeovers;
        if (!await WriteAsync(claimed, result with { Version = version, Takeovers = takeovers }).ConfigureAwait(false))
            return;
        meter.Replayed(result);
        var level = result.Status is DeadLetterStatus.RequiresReview ? LogLevel.Warning : LogLevel.Information;
        if (!_logger.IsEnabled(level))
            return;
        Replayed(
            _logger, level, claimed.ClientName, Redaction.Clean(claimed.Method), claimed.Authority, claimed.Id, result.Status,
            result.StatusCode, result.Replays);
    }

    /// <summary>Stores the result of a claimed letter, unless another worker has taken it over.</summary>
    internal async Task<bool> WriteAsync(DeadLetter claimed, DeadLetter result)
    {
        try
        {
            if (await store.UpdateAsync(result, CancellationToken.None).ConfigureAwait(false))
                return true;
            LeaseLost(_logger, claimed.ClientName, claimed.Id);
        }
        catch (Exception e)
        {
            // The lease expires, and the letter is sent again under the same key.
            ResultLost(_logger, e, claimed.ClientName, claimed.Id, result.Status);
        }

        return false;
    }

    /// <summary>
    /// The letter as it is in the store when its sending begins: the lease is renewed if it has waited long for its turn, and the third
    /// lease without a result is counted. Null when another worker has taken it over.
    /// </summary>
    private async Task<DeadLetter?> StillHeldAsync(DeadLetter claimed)
    {
        bool isSuspect = DeadLetterDecision.IsSuspect(claimed);
        if (!isSuspect && claimed.DueAt - time.GetUtcNow() > LeaseLength - RenewEvery)
            return claimed;
        var renewed = claimed with { DueAt = time.GetUtcNow() + LeaseLength, Takeovers = claimed.Takeovers + (isSuspect ? 1 : 0) };
        return await WriteAsync(claimed, renewed).ConfigureAwait(false) ? renewed with { Version = renewed.Version + 1 } : null;
    }

    [LoggerMessage(EventId = 511,
        Message = "{ClientName} {Method} {Authority}: dead letter {DeadLetterId} is {Status} after status {StatusCode}, "
            + "replays: {Replays}")]
    private static partial void Replayed(
        ILogger logger, LogLevel level, string clientName, string method, string authority, Guid deadLetterId, DeadLetterStatus status,
        int? statusCode, int replays);

    [LoggerMessage(512, LogLevel.Warning,
        "{ClientName}: the lease of dead letter {DeadLetterId} expired while the letter was being sent; another worker has taken it over "
        + "and stores the result")]
    private static partial void LeaseLost(ILogger logger, string clientName, Guid deadLetterId);

    [LoggerMessage(513, LogLevel.Error,
        "{ClientName}: the status {Status} of dead letter {DeadLetterId} could not be stored; the letter will be sent again under the "
        + "same key")]
    private static partial void ResultLost(
        ILogger logger, Exception exception, string clientName, Guid deadLetterId, DeadLetterStatus status);

    [LoggerMessage(515, LogLevel.Error,
        "{ClientName}: dead letter {DeadLetterId} requires review; a handler outside the chain failed while the letter was being sent")]
    private static partial void FailedOutside(ILogger logger, Exception exception, string clientName, Guid deadLetterId);
}
