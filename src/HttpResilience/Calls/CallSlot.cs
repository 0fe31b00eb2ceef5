using System.Runtime.CompilerServices;

namespace HttpResilience;

/// <summary>
/// A value that one feature keeps with a call and that most calls do not have. The feature holds the slot and declares a property over it
/// in an extension block of <see cref="HttpCall"/>, so the call knows no feature. A call has few values: a linked list finds them quickly
/// and each costs only itself.
/// </summary>
internal sealed class CallSlot<T>
{
    /// <returns>The default of <typeparamref name="T"/> when no value was set.</returns>
    internal T? Get(HttpCall call) => Find(call) is { } entry ? entry.Value : default;

    internal void Set(HttpCall call, T? value)
    {
        if (Find(call) is { } entry)
            entry.Value = value;
        else
            call.Slots = new Entry(this, call.Slots as CallSlotEntry) { Value = value };
    }

    /// <summary>Gives a copy of a call a value of its own, if it has one.</summary>
    internal void Detach(HttpCall copy)
    {
        if (Find(copy) is { } shared)
            copy.Slots = new Entry(this, copy.Slots as CallSlotEntry) { Value = shared.Value };
    }

    private Entry? Find(HttpCall call)
    {
        for (var entry = Unsafe.As<CallSlotEntry?>(call.Slots); entry is not null; entry = entry.Next)
        {
            if (entry.Slot == this)
                return Unsafe.As<Entry>(entry);
        }

        return null;
    }

    private sealed class Entry(CallSlot<T> slot, CallSlotEntry? next) : CallSlotEntry(slot, next)
    {
        internal T? Value { get; set; }
    }
}

/// <summary>A value in the list of a call, whatever its type.</summary>
internal abstract class CallSlotEntry(object slot, CallSlotEntry? next)
{
    internal object Slot => slot;

    internal CallSlotEntry? Next => next;
}
