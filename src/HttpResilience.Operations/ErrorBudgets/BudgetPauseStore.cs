using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Operations;

/// <summary>
/// Stores pauses. A pause by a person and its entry of the activity are stored in one transaction, by the call of the person or by the
/// <see cref="ErrorBudgetKeeper"/>.
/// </summary>
/// <param name="letters">Null when there are no dead letters beside the store: nothing is written down.</param>
internal sealed class BudgetPauseStore(IErrorBudgetStore store, IDeadLetterStore? letters)
{
    internal static BudgetPauseStore? Of(IServiceProvider services) => services.GetService<IErrorBudgetStore>() is { } store
        ? new(store, services.GetService<IDeadLetterStore>()) : null;

    internal Task SaveAsync(ErrorBudgetPause change, CancellationToken cancellationToken) => letters is not null && change.By is { } by
        ? letters.CommitAsync(CommitOf(change, by), cancellationToken)
        : store.SetPauseAsync(change, cancellationToken);

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
