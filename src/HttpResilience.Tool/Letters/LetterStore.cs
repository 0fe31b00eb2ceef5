using HttpResilience.Operators;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tool;

/// <summary>The letters of a store, as an operator sees them: those of all applications.</summary>
internal sealed class LetterStore : LetterSource
{
    private readonly ServiceProvider _services;
    private readonly NoteCollector _notes;

    private LetterStore(ServiceProvider services, NoteCollector notes, string shown) =>
        (_services, _notes, Shown) = (services, notes, shown);

    internal override string Shown { get; }

    internal override IDeadLetterReview Review => _services.GetRequiredService<IDeadLetterReview>();

    /// <param name="store">The store.</param>
    /// <param name="schema">The schema of a PostgreSQL database; null for the default.</param>
    internal static LetterStore Open(StoreName store, string? schema)
    {
        var notes = new NoteCollector();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(
            schema is null ? [] : [new($"{StorageChoice.Section}:Schema", schema)]).Build());
        services.AddLogging(logging => logging.AddProvider(notes));
        // Nothing is started: neither does this process appear among the instances, nor does it tidy up.
        services.AddHttpResilienceStorage(store.Provider);
        return new(services.BuildServiceProvider(), notes, store.Shown);
    }

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

    public override async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync().ConfigureAwait(false);
        foreach (string note in _notes.Notes.Distinct())
            Output.Say($"Note: {note}");
    }
}
