using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace HttpResilience;

/// <summary>
/// Whether values of a type are serialized alike each time: nothing that can be reached from it can be a sequence that is produced while
/// it is enumerated, such as an iterator over a data reader. Decided once per type.
/// </summary>
internal static class RepeatableJson
{
    // Weak: a type of an unloaded assembly does not stay.
    private static readonly ConditionalWeakTable<Type, object> Known = [];
    private static readonly object Yes = new();
    private static readonly object No = new();

    private static readonly FrozenSet<Type> Scalars =
    [
        typeof(string), typeof(decimal), typeof(DateTime), typeof(DateTimeOffset), typeof(TimeSpan), typeof(DateOnly), typeof(TimeOnly),
        typeof(Guid), typeof(Uri), typeof(Version), typeof(Half), typeof(Int128), typeof(UInt128), typeof(JsonElement),
        typeof(JsonDocument),
    ];

    private static readonly FrozenSet<Type> Collections =
    [
        typeof(List<>), typeof(Dictionary<,>), typeof(HashSet<>), typeof(SortedSet<>), typeof(SortedDictionary<,>), typeof(SortedList<,>),
        typeof(OrderedDictionary<,>), typeof(Queue<>), typeof(Stack<>), typeof(LinkedList<>), typeof(ArraySegment<>), typeof(Memory<>),
        typeof(ReadOnlyMemory<>), typeof(Collection<>), typeof(ObservableCollection<>), typeof(ReadOnlyCollection<>),
        typeof(ReadOnlyDictionary<,>), typeof(ConcurrentDictionary<,>), typeof(ConcurrentBag<>), typeof(ConcurrentQueue<>),
        typeof(ConcurrentStack<>), typeof(ImmutableArray<>), typeof(ImmutableList<>), typeof(ImmutableHashSet<>),
        typeof(ImmutableSortedSet<>), typeof(ImmutableDictionary<,>), typeof(ImmutableSortedDictionary<,>), typeof(ImmutableQueue<>),
        typeof(ImmutableStack<>), typeof(FrozenSet<>), typeof(FrozenDictionary<,>),
    ];

    /// <summary>
    /// A trimmed program has only those members that its code uses, and its JSON is written by generated code: no type can be examined.
    /// </summary>
    [FeatureSwitchDefinition("System.Text.Json.JsonSerializer.IsReflectionEnabledByDefault")]
    internal static bool CanExamine =>
        !AppContext.TryGetSwitch("System.Text.Json.JsonSerializer.IsReflectionEnabledByDefault", out bool isEnabled) || isEnabled;

    /// <param name="declared">The type by which a value is serialized.</param>
    /// <param name="actual">The type of the value; null when there is none.</param>
    internal static bool IsValue(Type declared, Type? actual)
    {
        if (actual is null)
            return true;
        if (actual == declared || declared == typeof(object))
            return IsValue(actual);
        // List<T> that is serialized as IEnumerable<T>: the sequence is the list.
        return declared.IsInterface ? IsSequenceOf(declared) && IsValue(actual) : IsValue(declared) && IsValue(actual);
    }

    private static bool IsValue(Type type)
    {
        if (!Known.TryGetValue(type, out object? known))
            Known.AddOrUpdate(type, known = Examine(type) ? Yes : No);
        return known == Yes;
    }

    private static bool IsSequenceOf(Type sequence) => sequence.IsGenericType
        && typeof(IEnumerable).IsAssignableFrom(sequence) && sequence.Namespace is "System.Collections.Generic"
        && sequence.GetGenericArguments().All(IsValue);

    private static bool Examine(Type type)
    {
        var found = new HashSet<Type> { type };
        var open = new Stack<Type>(found);
        while (open.TryPop(out var next))
        {
            if (PartsOf(next) is not { } parts)
                return false;
            foreach (var part in parts)
            {
                if (found.Add(part))
                    open.Push(part);
            }
        }

        return true;
    }

    /// <returns>The types that values of the type hold; null when one of them can be a sequence that is produced anew.</returns>
    private static IEnumerable<Type>? PartsOf(Type type)
    {
        if (type.IsPrimitive || type.IsEnum || Scalars.Contains(type) || typeof(JsonNode).IsAssignableFrom(type))
            return [];
        if (type.IsArray)
            return [type.GetElementType()!];
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return [underlying];
        if (type.IsGenericType && Collections.Contains(type.GetGenericTypeDefinition()))
            return type.GetGenericArguments();
        if (type == typeof(object) || type.IsInterface || type.IsPointer || typeof(IEnumerable).IsAssignableFrom(type))
            return null;
        return CanExamine ? MembersOf(type) : null;
    }

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "CanExamine is false in a trimmed program.")]
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "CanExamine is false in a trimmed program.")]
    private static List<Type>? MembersOf(Type type)
    {
        // A converter writes what it likes; a derived type has members of its own.
        if (type.IsDefined(typeof(JsonConverterAttribute), inherit: true) || type.IsDefined(typeof(JsonPolymorphicAttribute), inherit: true)
            || type.IsDefined(typeof(JsonDerivedTypeAttribute), inherit: true)
            || type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>)))
            return null;

        const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        List<Type> types = [];
        for (var t = type; t is not null && t != typeof(object) && t != typeof(ValueType); t = t.BaseType)
        {
            types.AddRange(t.GetProperties(Own)
                .Where(p => p.GetIndexParameters().Length == 0 && IsWritten(p, p.GetMethod?.IsPublic is true)).Select(p => p.PropertyType));
            types.AddRange(t.GetFields(Own).Where(f => IsWritten(f, f.IsPublic)).Select(f => f.FieldType));
        }

        return types;
    }

    private static bool IsWritten(MemberInfo member, bool isPublic) =>
        (isPublic || member.IsDefined(typeof(JsonIncludeAttribute)))
        && member.GetCustomAttribute<JsonIgnoreAttribute>() is not { Condition: JsonIgnoreCondition.Always };
}
