using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Operations;

/// <summary>
/// Stores pauses. A change by a person and its entry of the activity are stored in one transaction and once, by the call of the person or
/// by the <see cref="ErrorBudgetKeeper"/>.
/// </summary>
/// <param name="letters">Null when there are no dead letters beside the store: nothing is written down.</param>
internal sealed class BudgetPauseStore(IErrorBudgetStore store, IDeadLetterStore? letters)
{
    internal static BudgetPauseStore? Of(IServiceProvider services) => services.GetService<IErrorBudgetStore>() is { } store
        ? new(store, services.GetService<IDeadLetterStore>()) : null;

    /// <param name="pause">The state that the change is of.</param>
    /// <param name="change">Its last change.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    internal async Task SaveAsync(BudgetPause pause, ErrorBudgetPause change, CancellationToken cancellationToken)
    {
        if (letters is null || !pause.IsUnwritten(change))
        {
            await store.SetPauseAsync(change, cancellationToken).ConfigureAwait(false);
            return;
        }

        await letters.CommitAsync(CommitOf(change, change.By!), cancellationToken).ConfigureAwait(false);
        pause.Written(change);
    }

    // Whatever is stored from before that time is replaced: this process applies the change already. What is stored from that time on is
    // this change with its entry, or a later one.
    private static LetterCommit CommitOf(ErrorBudgetPause change, string by) => new()
    {
        Pause = change,
        PauseBefore = change with { At = change.At.AddMicroseconds(-1) },
        Activity = new()
        {
            Id = Guid.CreateVersion7(change.At),
            At = change.At,
            By = by,
            Action = change.IsPaused ? "Pause" : "Resume",
            ClientName = change.ClientName,
            Letters = 0,
            Notes = change.Note,
        },
    };
}
