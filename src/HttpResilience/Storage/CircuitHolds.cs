using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HttpResilience.Storage;

/// <summary>
/// Holds hosts back on all instances of the application, and lets them through again. Each instance applies it within 10 seconds, one that
/// starts later as soon as it has read the store. A service of <c>AddHttpResilienceStorage</c>. For this process only:
/// <see cref="ICircuits"/>.
/// </summary>
public sealed class CircuitHolds
{
    // Between two of them another change may have been stored.
    private const int MaxTries = 10;

    private const int MaxNote = 1000, MaxTenant = 500, NamesShown = 20;

    // The store forgets a process after an hour.
    private static readonly TimeSpan SeenWithin = TimeSpan.FromHours(1);

    private readonly ICircuitHoldStore _holds;
    private readonly IDeadLetterStore _letters;
    private readonly IInstanceStore _instances;
    private readonly StorageApplication _application;
    private readonly CircuitHoldWatch _watch;
    private readonly TimeProvider _time;

    internal CircuitHolds(
        ICircuitHoldStore holds, IDeadLetterStore letters, IInstanceStore instances, StorageApplication application, CircuitHoldWatch watch,
        TimeProvider time) =>
        (_holds, _letters, _instances, _application, _watch, _time) = (holds, letters, instances, application, watch, time);

    internal static void AddTo(IServiceCollection services)
    {
        services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().CircuitHolds);
        InstanceReports.AddTo(services);
        services.TryAddSingleton(provider => new CircuitHoldWatch(
            provider.GetRequiredService<ICircuitHoldStore>(), provider,
            provider.GetService<ILogger<CircuitHoldWatch>>() ?? NullLogger<CircuitHoldWatch>.Instance));
        services.TryAddSingleton(provider => new CircuitHolds(
            provider.GetRequiredService<ICircuitHoldStore>(), provider.GetRequiredService<IDeadLetterStore>(),
            provider.GetRequiredService<IInstanceStore>(), provider.GetRequiredService<StorageApplication>(),
            provider.GetRequiredService<CircuitHoldWatch>(), provider.GetRequiredService<TimeProvider>()));
    }

    /// <summary>What is held in this process, as it last read the store.</summary>
    public IReadOnlyList<CircuitHold> HeldHere => _watch.Held;

    /// <summary>Holds a host back: nothing is sent to it, calls fail at once. When it is held already, nothing changes.</summary>
    /// <param name="clientName">The client.</param>
    /// <param name="authority">Scheme, host and port, such as <c>https://api.example.com</c>; a path is ignored.</param>
    /// <param name="by">The person.</param>
    /// <param name="note">Why; at most 1,000 characters. Null for nothing.</param>
    /// <param name="tenant">Only this tenant's part of the host; null for all of it.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The change, or the one by which it is held already.</returns>
    /// <exception cref="ArgumentException">
    /// <paramref name="authority"/> is not an absolute http or https URI of a host, has user-info, or a text is empty or too long.
    /// </exception>
    /// <exception cref="KeyNotFoundException">No instance that was seen within an hour has circuits of such a client.</exception>
    /// <exception cref="HttpResilienceStorageException">The store fails.</exception>
    public Task<CircuitHold> HoldBackAsync(
        string clientName, Uri authority, string by, string? note = null, string? tenant = null,
        CancellationToken cancellationToken = default) =>
        ChangeAsync(New(clientName, authority, by, note, tenant, isHeld: true), cancellationToken);

    /// <summary>
    /// Lets a host through: closes its circuit on all instances, also one that has opened by itself, and resets its counts.
    /// </summary>
    /// <inheritdoc cref="HoldBackAsync"/>
    /// <returns>The change.</returns>
    public Task<CircuitHold> LetThroughAsync(
        string clientName, Uri authority, string by, string? note = null, string? tenant = null,
        CancellationToken cancellationToken = default) =>
        ChangeAsync(New(clientName, authority, by, note, tenant, isHeld: false), cancellationToken);

    /// <summary>
    /// The circuits of all instances that were seen within an hour, and all hosts that are held: those first, then what is not closed.
    /// </summary>
    /// <param name="clientName">Those of this client; null for all.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="HttpResilienceStorageException">The store fails.</exception>
    public async Task<IReadOnlyList<SharedCircuit>> ListAsync(string? clientName = null, CancellationToken cancellationToken = default)
    {
        var holds = await _holds.ListAsync(cancellationToken).ConfigureAwait(false);
        var instances = await InstancesAsync(cancellationToken).ConfigureAwait(false);
        var reported = instances.SelectMany(i => (i.Report?.Circuits ?? []).Select(c => new CircuitOfInstance(i, c)))
            .ToLookup(c => (c.Circuit.ClientName, c.Circuit.Authority, c.Circuit.Tenant));
        var changes = holds.ToDictionary(h => (h.ClientName, h.Authority, h.Tenant));
        var keys = reported.Select(c => c.Key)
            .Union(holds.Where(h => h.IsHeld).Select(h => (h.ClientName, h.Authority, h.Tenant)));
        return
        [
            .. keys.Where(k => clientName is null || k.ClientName == clientName)
                .Select(k => new SharedCircuit(k.ClientName, k.Authority, k.Tenant, changes.GetValueOrDefault(k), [.. reported[k]]))
                .OrderBy(c => SharedCircuit.RankOf(c.State)).ThenBy(c => c.ClientName, StringComparer.Ordinal)
                .ThenBy(c => c.Authority, StringComparer.Ordinal).ThenBy(c => c.Tenant, StringComparer.Ordinal),
        ];
    }

    /// <summary>The instances of the application that were seen within an hour, in the order of their starts.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="HttpResilienceStorageException">The store fails.</exception>
    public async Task<IReadOnlyList<StorageInstance>> InstancesAsync(CancellationToken cancellationToken = default) =>
        [.. (await _instances.ListAsync(_time.GetUtcNow() - SeenWithin, cancellationToken).ConfigureAwait(false))
            .Where(i => i.Application == _application.Name).OrderBy(i => i.StartedAt).ThenBy(i => i.Id)];

    private static CircuitHold New(string clientName, Uri authority, string by, string? note, string? tenant, bool isHeld)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(clientName);
        ArgumentNullException.ThrowIfNull(authority);
        ArgumentException.ThrowIfNullOrWhiteSpace(by);
        if (HttpAuthority.Find(authority) is not { } host || authority.UserInfo.Length > 0)
            throw new ArgumentException($"'{authority}' is not an absolute http or https URI of a host.", nameof(authority));
        if (note?.Length > MaxNote)
            throw new ArgumentException($"A note has at most {MaxNote} characters.", nameof(note));
        // A store would write others in another way.
        if (tenant is not null && (tenant.Length > MaxTenant
            || tenant.EnumerateRunes().Any(r => Rune.IsControl(r) || r == Rune.ReplacementChar)))
            throw new ArgumentException(
                $"A tenant has at most {MaxTenant} characters, and none that cannot be seen.", nameof(tenant));
        return new()
        {
            ClientName = clientName,
            Authority = $"{host}",
            Tenant = string.IsNullOrEmpty(tenant) ? null : tenant,
            IsHeld = isHeld,
            By = by,
            Note = string.IsNullOrWhiteSpace(note) ? null : note.Trim(),
            At = default,
        };
    }

    private async Task<CircuitHold> ChangeAsync(CircuitHold change, CancellationToken cancellationToken)
    {
        for (int tries = 0; tries < MaxTries; tries++)
        {
            var last = (await _holds.ListAsync(cancellationToken).ConfigureAwait(false)).FirstOrDefault(
                h => (h.ClientName, h.Authority, h.Tenant) == (change.ClientName, change.Authority, change.Tenant));
            if (last is { IsHeld: true } && change.IsHeld)
                return last;
            // What is held is let through also when no instance has the client any more.
            if (last is not { IsHeld: true })
                await ThrowIfUnknownAsync(change.ClientName, cancellationToken).ConfigureAwait(false);

            // The last change may have a later time, from another machine's clock: the new one is placed after it.
            var now = _time.GetUtcNow();
            now = new(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
            change = change with { At = last is not null && last.At >= now ? last.At.AddMicroseconds(1) : now };
            if (!await _letters.CommitAsync(
                new() { Hold = change, HoldBefore = last, Activity = ActivityOf(change, now) }, cancellationToken).ConfigureAwait(false))
                continue;
            _watch.Apply(change);
            return change;
        }

        throw new HttpResilienceStorageException(
            $"The row of the circuit of {change.ClientName} to {change.Authority} changes all the time, or cannot be read: a newer version "
            + "has written it.");
    }

    internal async Task ThrowIfUnknownAsync(string clientName, CancellationToken cancellationToken)
    {
        var instances = await InstancesAsync(cancellationToken).ConfigureAwait(false);
        // Those of an older version do not say which of their clients have circuits.
        string[] known = [.. instances.SelectMany(i => i.Report?.Clients ?? i.Clients).Distinct().Order(StringComparer.Ordinal)];
        if (!known.Contains(clientName, StringComparer.Ordinal))
            throw new KeyNotFoundException(
                $"There is no client '{clientName}' with circuits. "
                + (instances.Count == 0 ? "No instance of the application was seen within an hour."
                    : known.Length == 0 ? "No instance has one."
                    : $"Known: {string.Join(", ", known.Take(NamesShown))}{(known.Length > NamesShown ? ", …" : "")}."));
    }

    private static OperatorActivity ActivityOf(CircuitHold change, DateTimeOffset now) => new()
    {
        Id = Guid.CreateVersion7(now),
        At = now,
        By = change.By,
        Action = change.IsHeld ? "HoldBack" : "LetThrough",
        ClientName = change.ClientName,
        Letters = 0,
        Notes = change.Authority + (change.Tenant is null ? "" : $" for tenant {change.Tenant}")
            + (change.Note is null ? "" : $": {change.Note}"),
    };
}
