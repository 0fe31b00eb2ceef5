using System.Runtime.CompilerServices;

namespace HttpResilience;

/// <summary>Something that observers keep state with: one object of a type. It lives as long as what it belongs to.</summary>
public abstract class ObserverState
{
    // The latest first: observers add theirs after the chain, and look it up with each call.
    private Entry[]? _entries;

    private protected ObserverState()
    {
    }

    /// <summary>The state of a type.</summary>
    /// <typeparam name="T">The observer's own type.</typeparam>
    /// <returns>Null when none was added.</returns>
    public T? Get<T>()
        where T : class => Find<T>(Volatile.Read(ref _entries));

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
            var before = Volatile.Read(ref _entries);
            if (Find<T>(before) is { } known)
                return known;
            created ??= create();
            Entry[] after = [new(typeof(T), created), .. before ?? []];
            if (Interlocked.CompareExchange(ref _entries, after, before) == before)
                return created;
        }
    }

    // By the key and without a cast: both cost a call into the runtime in code that is shared by all T.
    private static T? Find<T>(Entry[]? entries)
        where T : class
    {
        if (entries is null)
            return null;
        var key = typeof(T);
        foreach (ref readonly var entry in entries.AsSpan())
        {
            if (ReferenceEquals(entry.Key, key))
                return Unsafe.As<T>(entry.State);
        }

        return null;
    }

    private readonly record struct Entry(Type Key, object State);
}
