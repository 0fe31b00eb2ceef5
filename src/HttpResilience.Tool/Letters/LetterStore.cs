using HttpResilience.Operators;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tool;

/// <summary>The letters of a store, as an operator sees them: those of all applications.</summary>
internal sealed class LetterStore : LetterSource
{
    private const int MaxGroups = 1000;

    private readonly ServiceProvider _services;
    private readonly NoteCollector _notes;

    private LetterStore(ServiceProvider services, NoteCollector notes, string shown) =>
        (_services, _notes, Shown) = (services, notes, shown);

    internal override string Shown { get; }

    internal override IDeadLetterReview Review => _services.GetRequiredService<IDeadLetterReview>();

    private CircuitHolds Circuits => _services.GetRequiredService<CircuitHolds>();

    private LetterJobs Jobs => _services.GetRequiredService<LetterJobs>();

    /// <param name="store">The store.</param>
    /// <param name="schema">The schema of a PostgreSQL database; null for the default.</param>
    /// <param name="application">The application whose jobs or circuits are meant; null where none are.</param>
    internal static LetterStore Open(StoreName store, string? schema, string? application = null)
    {
        var notes = new NoteCollector();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(
            new[] { KeyValuePair.Create("Schema", schema), KeyValuePair.Create("Application", application) }.Where(s => s.Value is not null)
                .Select(s => KeyValuePair.Create($"{StorageChoice.Section}:{s.Key}", s.Value))).Build());
        services.AddLogging(logging => logging.AddProvider(notes));
        // Nothing is started: neither does this process appear among the instances, nor does it tidy up.
        services.AddHttpResilienceStorage(store.Provider);
        return new(services.BuildServiceProvider(), notes, store.Shown);
    }

    internal override Task<LetterFinds> SearchAsync(
        LetterFilter filter, Guid? before, int limit, CancellationToken cancellationToken) =>
        filter.SearchAsync(Review, before, limit, Time, cancellationToken: cancellationToken);

    internal override async Task<GroupList> GroupsAsync(DeadLetterQuery query, int limit, CancellationToken cancellationToken) =>
        GroupList.Of(await Review.GroupsAsync(query, limit, cancellationToken).ConfigureAwait(false));

    internal override async Task<IReadOnlyList<UnreplayedLetters>> UnreplayedAsync(CancellationToken cancellationToken)
    {
        var storage = _services.GetRequiredService<IHttpResilienceStorage>();
        var now = Time.GetUtcNow();
        var backlog = await storage.DeadLetters.BacklogAsync(cancellationToken).ConfigureAwait(false);
        if (backlog.Count == 0)
            return [];
        var live = await storage.Instances.ListAsync(now - ReplayCoverageRules.Patience, cancellationToken).ConfigureAwait(false);
        // What will be overdue when nobody takes it: it has just become due.
        return ReplayCoverageRules.Find(backlog, live, now + ReplayCoverageRules.Patience);
    }

    internal override Task<DeadLetter> ResubmitAsync(
        DeadLetter letter, ResubmitRequest request, string by, CancellationToken cancellationToken) =>
        // Where else a letter may go, only the application knows.
        Review.ResubmitAsync(
            letter.Id, letter.Version, old => Correction.Apply(old, request, [old.Authority]), by, cancellationToken);

    internal override Task<PurgePreview> CountSettledAsync(
        LetterFilter filter, DateTimeOffset before, CancellationToken cancellationToken) =>
        filter.CountSettledAsync(Review, before, Time.GetUtcNow(), cancellationToken);

    internal override async Task<long> PurgeAsync(
        LetterFilter filter, PurgePreview counted, string by, CancellationToken cancellationToken)
    {
        // What was settled meanwhile was not shown.
        var now = await CountSettledAsync(filter, counted.SettledBefore, cancellationToken).ConfigureAwait(false);
        return now.Count > counted.Count
            ? throw new ToolException($"Meanwhile more letters fit: {now.Count}, not {counted.Count}. Nothing was deleted; ask again.")
            : await filter.PurgeAsync(Review, counted.SettledBefore, Time.GetUtcNow(), by, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The application that runs on the store.</summary>
    /// <exception cref="ToolException">There are several, or none.</exception>
    /// <param name="query">Where none runs, the one of these letters; null for none.</param>
    internal async Task<string> OnlyApplicationAsync(DeadLetterQuery? query, CancellationToken cancellationToken)
    {
        var storage = _services.GetRequiredService<IHttpResilienceStorage>();
        var live = await storage.Instances.ListAsync(Time.GetUtcNow() - TimeSpan.FromHours(1), cancellationToken).ConfigureAwait(false);
        string[] applications = [.. live.Select(i => i.Application).Distinct().Order(StringComparer.Ordinal)];
        if (applications.Length == 0 && query is not null)
        {
            var groups = await Review.GroupsAsync(query, MaxGroups, cancellationToken).ConfigureAwait(false);
            if (groups.Count == 0)
                throw new ToolException($"No open letter in {Shown} fits.");
            applications = [.. groups.Select(g => g.Newest.Application).Where(a => a.Length > 0).Distinct().Order(StringComparer.Ordinal)];
        }

        return applications is [var only] ? only : throw new ToolException(
            applications.Length == 0 ? "Which application? None has been seen on the store within an hour: give --application NAME."
                : $"Which application? Give --application: {string.Join(", ", applications)}.", ExitCode.Usage);
    }

    internal override async Task<JobList> JobsAsync(int limit, CancellationToken cancellationToken) =>
        new([.. (await Jobs.ListAsync(null, limit, cancellationToken).ConfigureAwait(false)).Select(job => JobModel.Of(job))]);

    internal override async Task<JobModel?> JobAsync(Guid id, CancellationToken cancellationToken) =>
        await Jobs.FindAsync(id, cancellationToken).ConfigureAwait(false) is { } job
            ? await ModelAsync(job, cancellationToken).ConfigureAwait(false) : null;

    internal override async Task<JobModel> StartJobAsync(LetterJobRequest request, long count, CancellationToken cancellationToken) =>
        await ModelAsync(await Jobs.StartAsync(request, null, cancellationToken).ConfigureAwait(false), cancellationToken)
            .ConfigureAwait(false);

    internal override async Task<JobModel?> StopJobAsync(Guid id, string by, CancellationToken cancellationToken) =>
        await Jobs.FindAsync(id, cancellationToken).ConfigureAwait(false) is null ? null
            : await ModelAsync(await Jobs.StopAsync(id, by, cancellationToken).ConfigureAwait(false), cancellationToken)
                .ConfigureAwait(false);

    internal override Task<CircuitList> CircuitsAsync(string? client, string? authority, CancellationToken cancellationToken) =>
        CircuitList.LoadAsync(Circuits, client, authority, Time.GetUtcNow(), cancellationToken);

    internal override Task RequireCircuitsOfAsync(string client, CancellationToken cancellationToken) =>
        Circuits.ThrowIfUnknownAsync(client, cancellationToken);

    internal override async Task<CircuitModel> ChangeCircuitAsync(
        CircuitRequest request, bool isHeld, string by, CancellationToken cancellationToken)
    {
        var (client, host) = (request.Client!, new Uri(request.Host!));
        var change = isHeld
            ? await Circuits.HoldBackAsync(client, host, by, request.Note, request.Tenant, cancellationToken).ConfigureAwait(false)
            : await Circuits.LetThroughAsync(client, host, by, request.Note, request.Tenant, cancellationToken).ConfigureAwait(false);
        return await CircuitList.LoadAsync(Circuits, change, Time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
    }

    internal override async Task<ClientDetail> ClientAsync(string name, CancellationToken cancellationToken)
    {
        var reach = await Pauses.FindAsync(name, cancellationToken).ConfigureAwait(false);
        return reach.IsKnown
            ? new(name, Shown, null, PauseModel.Of(reach.Last), PauseReachModel.Of(reach), null, null)
            : throw new ToolException($"There is no client '{name}' in {Shown}. {PauseReachModel.KnownOf(reach)}");
    }

    internal override async Task<ClientDetail> SetPauseAsync(
        string name, bool isPaused, string by, string? note, CancellationToken cancellationToken)
    {
        await ClientAsync(name, cancellationToken).ConfigureAwait(false);
        var result = isPaused ? await Pauses.PauseAsync(name, by, note, cancellationToken).ConfigureAwait(false)
            : await Pauses.ResumeAsync(name, by, note, cancellationToken).ConfigureAwait(false);
        return result.IsChanged ? await ClientAsync(name, cancellationToken).ConfigureAwait(false) : throw new ToolException(
            $"{name} is {(isPaused ? "paused already" : "not paused")}. {PauseReachModel.Tell(result.Last)}");
    }

    private ClientPauses Pauses => _services.GetRequiredService<ClientPauses>();

    internal override async Task<JobModel?> UndoJobAsync(Guid id, string by, CancellationToken cancellationToken) =>
        await Jobs.FindAsync(id, cancellationToken).ConfigureAwait(false) is null ? null
            : await ModelAsync(await Jobs.ReopenAsync(id, by, null, cancellationToken).ConfigureAwait(false), cancellationToken)
                .ConfigureAwait(false);

    internal override async Task<bool> HasWorkerAsync(CancellationToken cancellationToken)
    {
        var storage = _services.GetRequiredService<IHttpResilienceStorage>();
        var live = await storage.Instances.ListAsync(Time.GetUtcNow() - ReplayCoverageRules.Patience, cancellationToken)
            .ConfigureAwait(false);
        string application = _services.GetRequiredService<StorageApplication>().Name;
        return live.Any(i => i.Replays && ReplayCoverageRules.IsLive(i.SeenAt, Time.GetUtcNow()) && i.Application == application);
    }

    internal override bool CanWorkOffJobs => true;

    internal override async Task StepJobAsync(Guid id, CancellationToken cancellationToken)
    {
        if (await Jobs.FindAsync(id, cancellationToken).ConfigureAwait(false) is not { } job)
            return;
        // Nothing is sent from here, so no client is paused.
        var worker = new LetterJobWorker(
            _services.GetRequiredService<IDeadLetterStore>(), _services.GetRequiredService<ILetterJobStore>(), _ => false, Time,
            _services.GetRequiredService<ILogger<LetterJobWorker>>());
        await worker.StepAsync(job, cancellationToken).ConfigureAwait(false);
    }

    private async Task<JobModel> ModelAsync(LetterJob job, CancellationToken cancellationToken) =>
        JobModel.Of(job, await Jobs.ProgressAsync(job.Id, cancellationToken).ConfigureAwait(false));

    public override async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync().ConfigureAwait(false);
        foreach (string note in _notes.Notes.Distinct())
            Output.Say($"Note: {note}");
    }
}
