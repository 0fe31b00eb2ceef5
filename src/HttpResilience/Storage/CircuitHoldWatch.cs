using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Applies what people have held back or let through to the circuits of this process: each change once, so that what is done to a circuit
/// of this process afterwards stays.
/// </summary>
internal sealed partial class CircuitHoldWatch(ICircuitHoldStore store, IServiceProvider services, ILogger<CircuitHoldWatch> logger)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string ClientName, string Authority, string? Tenant), CircuitHold> _applied = [];
    private bool _hasRead;
    private bool _fails;

    /// <summary>What is held in this process.</summary>
    internal IReadOnlyList<CircuitHold> Held
    {
        get
        {
            lock (_gate)
                return [.. _applied.Values.Where(h => h.IsHeld)];
        }
    }

    /// <summary>Reads and applies what has changed. When the store fails, nothing changes.</summary>
    /// <returns>The failure; null when there was none.</returns>
    internal async Task<Exception?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            var holds = await store.ListAsync(cancellationToken).ConfigureAwait(false);
            lock (_gate)
            {
                foreach (var hold in holds)
                    Apply(hold, isNew: _hasRead);
                _hasRead = true;
            }

            return null;
        }
        catch (Exception e) when (e is HttpResilienceStorageException || !cancellationToken.IsCancellationRequested)
        {
            return e;
        }
    }

    /// <summary>Logs the first of several failures.</summary>
    /// <param name="failure">Null when the store was read.</param>
    /// <param name="secondsToNext">Until it is read again.</param>
    internal void Log(Exception? failure, double secondsToNext)
    {
        if (failure is not null && !_fails)
            Failed(logger, failure, secondsToNext);
        _fails = failure is not null;
    }

    /// <summary>Applies a change of this process at once.</summary>
    internal void Apply(CircuitHold hold)
    {
        lock (_gate)
            Apply(hold, isNew: true);
    }

    /// <param name="isNew">
    /// False for what was let through before this process has read anything: a circuit that has opened since has opened for another reason.
    /// </param>
    private void Apply(CircuitHold hold, bool isNew)
    {
        var key = (hold.ClientName, hold.Authority, hold.Tenant);
        if (_applied.TryGetValue(key, out var last) && last.At >= hold.At)
            return;
        // Of another process, or of this one when it has the client later.
        if (services.GetService(typeof(IResilientClients)) is not IResilientClients clients
            || clients.Find(hold.ClientName) is not { HasCircuitBreaker: true }
            || !Uri.TryCreate(hold.Authority, UriKind.Absolute, out var authority) || HttpAuthority.Find(authority) is null)
            return;

        var circuits = (ICircuits)services.GetService(typeof(ICircuits))!;
        if (hold.IsHeld)
        {
            circuits.Isolate(hold.ClientName, authority, hold.Tenant);
            HeldBack(logger, hold.ClientName, NameOf(hold), Redaction.Clean(hold.By));
        }
        else if (isNew || last is not null)
        {
            circuits.Close(hold.ClientName, authority, hold.Tenant);
            LetThrough(logger, hold.ClientName, NameOf(hold), Redaction.Clean(hold.By));
        }

        _applied[key] = hold;
    }

    private static string NameOf(CircuitHold hold) =>
        hold.Tenant is null ? hold.Authority : $"{hold.Authority} for tenant {Redaction.Clean(hold.Tenant)}";

    [LoggerMessage(
        597, LogLevel.Warning,
        "{ClientName}: {Authority} is held back on all instances by {By}; nothing is sent to it until it is let through")]
    private static partial void HeldBack(ILogger logger, string clientName, string authority, string by);

    [LoggerMessage(598, LogLevel.Warning, "{ClientName}: {Authority} is let through on all instances by {By}")]
    private static partial void LetThrough(ILogger logger, string clientName, string authority, string by);

    [LoggerMessage(
        599, LogLevel.Warning,
        "Which hosts are held back cannot be read from the store; the circuits of this process stay as they are. Retried every "
        + "{Seconds} s")]
    private static partial void Failed(ILogger logger, Exception exception, double seconds);
}
