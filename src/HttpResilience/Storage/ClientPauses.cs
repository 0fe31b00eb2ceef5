using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Storage;

/// <summary>
/// Pauses and resumes clients for operators, in the store: every process of the application that calls <c>AddHttpResilienceOperations</c>
/// applies it within 10 seconds, this one at once. It works without that package, too, for programs that only change the store. A service
/// of <c>AddHttpResilienceStorage</c>.
/// </summary>
public sealed class ClientPauses
{
    // A process writes its row every 10 seconds, and the store forgets it after an hour. One whose clock is ahead by more than that says
    // nothing about now.
    private static readonly TimeSpan IsLiveFor = TimeSpan.FromSeconds(30), IsKnownFor = TimeSpan.FromHours(1);

    // Each is a change by somebody else in between.
    private const int MaxTries = 5;

    private const int MaxGroups = 10_000;

    private readonly IHttpResilienceStorage _storage;
    private readonly string _application;
    private readonly ProcessClients _here;
    private readonly TimeProvider _time;

    private ClientPauses(IHttpResilienceStorage storage, string application, ProcessClients here, TimeProvider time) =>
        (_storage, _application, _here, _time) = (storage, application, here, time);

    internal static ClientPauses Of(IServiceProvider services) => new(
        services.GetRequiredService<IHttpResilienceStorage>(), services.GetRequiredService<StorageApplication>().Name,
        new(services), services.GetRequiredService<TimeProvider>());

    /// <summary>The last change of each client of the application that was ever paused; those with <c>IsPaused</c> are paused.</summary>
    /// <exception cref="HttpResilienceStorageException">The store fails.</exception>
    public Task<IReadOnlyList<ErrorBudgetPause>> ListAsync(CancellationToken cancellationToken = default) =>
        _storage.ErrorBudgets.PausesAsync(cancellationToken);

    /// <summary>What a pause of a client affects.</summary>
    /// <param name="clientName">The client.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="HttpResilienceStorageException">The store fails.</exception>
    public async Task<ClientPauseReach> FindAsync(string clientName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(clientName);
        var now = _time.GetUtcNow();
        var instances = (await _storage.Instances.ListAsync(now - IsKnownFor, cancellationToken).ConfigureAwait(false))
            .Where(i => i.Application == _application).ToList();
        var groups = await _storage.DeadLetters.GroupsAsync(new() { Application = _application }, MaxGroups, cancellationToken)
            .ConfigureAwait(false);
        var last = await LastAsync(clientName, cancellationToken).ConfigureAwait(false);
        SortedSet<string> known = new(
            [
                .. instances.SelectMany(i => i.Clients.Concat(i.PausableClients ?? [])), .. groups.Select(g => g.Newest.ClientName),
                .. _here.Names,
            ], StringComparer.Ordinal);
        bool isKnown = last is not null || known.Contains(clientName) || await HasLettersAsync(clientName, cancellationToken)
            .ConfigureAwait(false);
        var live = instances.Where(i => (now - i.SeenAt).Duration() <= IsLiveFor)
            .ToLookup(i => i.PausableClients?.Contains(clientName) is true);
        return new()
        {
            ClientName = clientName,
            IsKnown = isKnown,
            KnownClients = [.. known],
            Last = last,
            ObeyedBy = [.. live[true]],
            IgnoredBy = [.. live[false].Where(i => i.Clients.Contains(clientName))],
            LettersWaiting = groups.Where(g => g.Newest.ClientName == clientName).Sum(g => g.Pending + g.InProgress),
        };
    }

    /// <summary>
    /// Pauses a client until a person resumes it: its calls fail with <see cref="IntegrationPausedException"/>, nothing is sent, and its
    /// letters wait. A pause by its error budget becomes the person's; a pause by a person stays as it is.
    /// </summary>
    /// <param name="clientName">The client. It is not checked: <see cref="FindAsync"/> tells whether there is one.</param>
    /// <param name="by">The person.</param>
    /// <param name="note">Why. Default null: nothing is written down.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="HttpResilienceStorageException">The store fails.</exception>
    public Task<ClientPauseResult> PauseAsync(
        string clientName, string by, string? note = null, CancellationToken cancellationToken = default) =>
        ChangeAsync(clientName, isPaused: true, by, note, cancellationToken);

    /// <summary>Resumes a client, whether its error budget or a person paused it.</summary>
    /// <inheritdoc cref="PauseAsync"/>
    public Task<ClientPauseResult> ResumeAsync(
        string clientName, string by, string? note = null, CancellationToken cancellationToken = default) =>
        ChangeAsync(clientName, isPaused: false, by, note, cancellationToken);

    private async Task<ClientPauseResult> ChangeAsync(
        string clientName, bool isPaused, string by, string? note, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(clientName);
        ArgumentException.ThrowIfNullOrWhiteSpace(by);
        for (int tries = 0; tries < MaxTries; tries++)
        {
            var last = await LastAsync(clientName, cancellationToken).ConfigureAwait(false);
            // A pause of this process by the budget may not be stored yet.
            bool isAlready = isPaused ? last is { IsPaused: true, By: not null }
                : last is not { IsPaused: true } && !_here.IsPaused(clientName);
            if (isAlready)
                return new(last, IsChanged: false);
            var now = _time.GetUtcNow();
            var change = new ErrorBudgetPause(clientName, isPaused, by, AfterLast(now, last)) { Note = note };
            var activity = new OperatorActivity
            {
                Id = Guid.CreateVersion7(now),
                At = now,
                By = by,
                Action = isPaused ? "Pause" : "Resume",
                ClientName = clientName,
                Letters = 0,
                Notes = note,
            };
            if (!await _storage.DeadLetters.CommitAsync(
                new() { Pause = change, PauseBefore = last, Activity = activity }, cancellationToken).ConfigureAwait(false))
                continue;
            _here.Apply(change);
            return new(change, IsChanged: true);
        }

        throw new HttpResilienceStorageException($"Client '{clientName}' is paused and resumed by others at this moment: try again.");
    }

    private async Task<ErrorBudgetPause?> LastAsync(string clientName, CancellationToken cancellationToken) =>
        (await _storage.ErrorBudgets.PausesAsync(cancellationToken).ConfigureAwait(false))
            .FirstOrDefault(p => p.ClientName == clientName);

    private async Task<bool> HasLettersAsync(string clientName, CancellationToken cancellationToken) =>
        (await _storage.DeadLetters.ListAsync(
            new() { ClientName = clientName, Application = _application, Limit = 1, OmitBodies = true }, cancellationToken)
            .ConfigureAwait(false)).Count > 0;

    // In the precision of stores, and after a change by the clock of another machine.
    private static DateTimeOffset AfterLast(DateTimeOffset now, ErrorBudgetPause? last)
    {
        var at = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
        return last?.At >= at ? last.At.AddMicroseconds(1) : at;
    }

    /// <summary>The clients of this process, where it has any.</summary>
    private sealed class ProcessClients(IServiceProvider services)
    {
        internal IEnumerable<string> Names => services.GetService<IResilientClients>()?.List().Select(c => c.Name)
            .Where(OperationsPackage.IsOfApplication) ?? [];

        internal bool IsPaused(string clientName) =>
            services.GetService<IResilientClients>()?.List().FirstOrDefault(c => c.Name == clientName) is { } client
            && services.GetService<CallObservers>()?.IsPaused(client) is true;

        internal void Apply(ErrorBudgetPause change) => services.GetService<CallObservers>()?.PauseChanged(change);
    }
}

/// <summary>What <see cref="ClientPauses"/> did.</summary>
/// <param name="Last">The last change of the client, this one or an earlier one; null when it was never paused.</param>
/// <param name="IsChanged">False when the client was paused by a person, or not paused, already.</param>
public sealed record ClientPauseResult(ErrorBudgetPause? Last, bool IsChanged);

/// <summary>What a pause of a client affects.</summary>
public sealed record ClientPauseReach
{
    /// <summary>The client.</summary>
    public required string ClientName { get; init; }

    /// <summary>A process seen within the last hour has the client, or a letter is of it, or it was paused before.</summary>
    public required bool IsKnown { get; init; }

    /// <summary>The clients that processes seen within the last hour have, and those of open letters, by name.</summary>
    public required IReadOnlyList<string> KnownClients { get; init; }

    /// <summary>The last time that it was paused or resumed; null when it never was.</summary>
    public ErrorBudgetPause? Last { get; init; }

    /// <summary>The running processes that have the client and obey its pause.</summary>
    public required IReadOnlyList<StorageInstance> ObeyedBy { get; init; }

    /// <summary>
    /// The running processes that have the client and go on sending, because they do not call <c>AddHttpResilienceOperations</c>, or run a
    /// version that does not say whether they do. Only clients that keep dead letters are known of them.
    /// </summary>
    public required IReadOnlyList<StorageInstance> IgnoredBy { get; init; }

    /// <summary>The number of its letters that are to be sent and wait while it is paused.</summary>
    public required long LettersWaiting { get; init; }
}
