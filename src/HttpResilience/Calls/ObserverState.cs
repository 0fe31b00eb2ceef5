namespace HttpResilience;

/// <summary>Something that observers keep state with: one object of a type. It lives as long as what it belongs to.</summary>
public abstract class ObserverState
{
    // The state itself when there is one, as there usually is; else an array.
    private object? _state;

    private protected ObserverState()
    {
    }

    /// <summary>The state of a type.</summary>
    /// <typeparam name="T">The observer's own type.</typeparam>
    /// <returns>Null when none was added.</returns>
    public T? Get<T>()
        where T : class => Find<T>(Volatile.Read(ref _state));

    /// <summary>The state of a type, created when there is none. Of several that are created at once one is kept.</summary>
    /// <typeparam name="T">The observer's own type.</typeparam>
    /// <param name="create">Creates it.</param>
    public T GetOrAdd<T>(Func<T> create)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(create);
        T? created = null;
        while (true)
        {
            object? before = Volatile.Read(ref _state);
            if (Find<T>(before) is { } known)
                return known;
            created ??= create();
            object after = before switch
            {
                null => created,
                object[] several => (object[])[.. several, created],
                _ => (object[])[before, created],
            };
            if (Interlocked.CompareExchange(ref _state, after, before) == before)
                return created;
        }
    }

    private static T? Find<T>(object? state)
        where T : class
    {
        if (state is T only)
            return only;
        if (state is not object[] several)
            return null;
        foreach (object one in several)
        {
            if (one is T found)
                return found;
        }

        return null;
    }
}
