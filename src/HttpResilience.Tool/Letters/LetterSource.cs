using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary>The letters that a command works on: in a store, or behind the API of a running application.</summary>
internal abstract class LetterSource : IAsyncDisposable
{
    /// <summary>How it is called in sentences: without credentials.</summary>
    internal abstract string Shown { get; }

    internal abstract IDeadLetterReview Review { get; }

    internal TimeProvider Time { get; } = TimeProvider.System;

    /// <summary>The open letters by their cause, those that need a person first.</summary>
    internal abstract Task<GroupList> GroupsAsync(DeadLetterQuery query, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Why letters that are due stay where they are: the applications and clients for which no process was seen that replays.
    /// </summary>
    internal abstract Task<IReadOnlyList<UnreplayedLetters>> UnreplayedAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
