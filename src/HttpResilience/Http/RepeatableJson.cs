using System.CodeDom.Compiler;
using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Json;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace HttpResilience;

/// <summary>
/// Whether a value is serialized alike each time: only the platform's own converters run, and read nothing but fields and properties that
/// the compiler has implemented. Nothing that can be reached from the type can be a sequence that is produced while it is enumerated, such
/// as an iterator over a data reader, nor run other code of the application. Decided once per type and once per options.
/// </summary>
internal static class RepeatableJson
{
    private const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    // Weak: a type of an unloaded assembly does not stay.
    private static readonly ConditionalWeakTable<Type, object> Known = [];
    private static readonly ConditionalWeakTable<JsonSerializerOptions, object> KnownOptions = [];
    private static readonly Assembly Platform = typeof(JsonSerializer).Assembly;
    private static readonly object Yes = new();
    private static readonly object No = new();

    private static readonly FrozenSet<Type> Scalars =
    [
        typeof(string), typeof(decimal), typeof(DateTime), typeof(DateTimeOffset), typeof(TimeSpan), typeof(DateOnly), typeof(TimeOnly),
        typeof(Guid), typeof(Uri), typeof(Version), typeof(Half), typeof(Int128), typeof(UInt128), typeof(JsonElement),
        typeof(JsonDocument),
    ];

    // Without wrappers such as ReadOnlyCollection<T>: the wrapped list may have any type.
    private static readonly FrozenSet<Type> Collections =
    [
        typeof(List<>), typeof(Dictionary<,>), typeof(HashSet<>), typeof(SortedSet<>), typeof(SortedDictionary<,>), typeof(SortedList<,>),
        typeof(OrderedDictionary<,>), typeof(Queue<>), typeof(Stack<>), typeof(LinkedList<>), typeof(ArraySegment<>), typeof(Memory<>),
        typeof(ReadOnlyMemory<>), typeof(KeyValuePair<,>), typeof(ConcurrentDictionary<,>), typeof(ConcurrentBag<>),
        typeof(ConcurrentQueue<>), typeof(ConcurrentStack<>), typeof(ImmutableArray<>), typeof(ImmutableList<>), typeof(ImmutableHashSet<>),
        typeof(ImmutableSortedSet<>), typeof(ImmutableDictionary<,>), typeof(ImmutableSortedDictionary<,>), typeof(ImmutableQueue<>),
        typeof(ImmutableStack<>), typeof(FrozenSet<>), typeof(FrozenDictionary<,>),
    ];

    /// <summary>
    /// A trimmed program has only those members that its code uses, and its JSON is written by generated code: no type can be examined.
    /// </summary>
    [FeatureSwitchDefinition("System.Text.Json.JsonSerializer.IsReflectionEnabledByDefault")]
    internal static bool CanExamine =>
        !AppContext.TryGetSwitch("System.Text.Json.JsonSerializer.IsReflectionEnabledByDefault", out bool isEnabled) || isEnabled;

    internal static bool IsValue(JsonContent content) => content.Value is not { } value
        || (ProtectedContent.TypeInfoOf(content) is { } type && IsPlain(type.Options) && IsOf(type, type.Options)
            && IsValue(content.ObjectType, value.GetType()));

    /// <summary>The application has not made or changed the metadata of a type by hand.</summary>
    private static bool IsOf(JsonTypeInfo type, JsonSerializerOptions options) =>
        options.IsReadOnly && options.TryGetTypeInfo(type.Type, out var known) && ReferenceEquals(known, type);

    /// <param name="declared">The type by which a value is serialized.</param>
    /// <param name="actual">The type of the value.</param>
    private static bool IsValue(Type declared, Type actual)
    {
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

    private static bool IsPlain(JsonSerializerOptions options)
    {
        if (!KnownOptions.TryGetValue(options, out object? known))
            KnownOptions.AddOrUpdate(options, known = UseOnlyThePlatform(options) ? Yes : No);
        return known == Yes;
    }

    private static bool UseOnlyThePlatform(JsonSerializerOptions options) => options.Converters.All(c => IsOf(Platform, c))
        && options.TypeInfoResolverChain.All(IsPlain)
        && IsOf(Platform, options.DictionaryKeyPolicy) && IsOf(Platform, options.ReferenceHandler)
        && IsOf(typeof(JavaScriptEncoder).Assembly, options.Encoder);

    // A generic one may run the code of its argument, except a converter of enums.
    private static bool IsOf(Assembly platform, object? part) => part?.GetType() is not { } type
        || (type.Assembly == platform && (!type.IsGenericType || part is JsonConverterFactory));

    private static bool IsPlain(IJsonTypeInfoResolver resolver) => resolver is DefaultJsonTypeInfoResolver { Modifiers.Count: 0 }
        ? resolver.GetType() == typeof(DefaultJsonTypeInfoResolver)
        : resolver is JsonSerializerContext && resolver.GetType().IsDefined(typeof(GeneratedCodeAttribute), inherit: false);

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

    /// <returns>The types that values of the type hold; null when code of the application may run to serialize one.</returns>
    private static IEnumerable<Type>? PartsOf(Type type)
    {
        if (HasConverter(type))
            return null;
        if (type.IsPrimitive || type.IsEnum || Scalars.Contains(type))
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
        // A derived type has members of its own; callbacks may change the value.
        if (type.IsDefined(typeof(JsonPolymorphicAttribute), inherit: true)
            || type.IsDefined(typeof(JsonDerivedTypeAttribute), inherit: true)
            || typeof(IJsonOnSerializing).IsAssignableFrom(type) || typeof(IJsonOnSerialized).IsAssignableFrom(type)
            || type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>)))
            return null;

        List<Type> types = [];
        for (var t = type; t is not null && t != typeof(object) && t != typeof(ValueType); t = t.BaseType)
        {
            foreach (var property in t.GetProperties(Own))
            {
                if (property.GetIndexParameters().Length > 0 || !IsWritten(property, property.GetMethod?.IsPublic is true))
                    continue;
                if (HasConverter(property) || !IsStored(property, isSealed: type.IsSealed))
                    return null;
                types.Add(property.PropertyType);
            }

            foreach (var field in t.GetFields(Own).Where(f => IsWritten(f, f.IsPublic)))
            {
                if (HasConverter(field))
                    return null;
                types.Add(field.FieldType);
            }
        }

        return types;
    }

    private static bool IsWritten(MemberInfo member, bool isPublic) =>
        (isPublic || member.IsDefined(typeof(JsonIncludeAttribute)))
        && member.GetCustomAttribute<JsonIgnoreAttribute>() is not { Condition: JsonIgnoreCondition.Always };

    private static bool HasConverter(MemberInfo member) => Attribute.GetCustomAttributes(member, typeof(JsonConverterAttribute))
        .Any(a => a.GetType() != typeof(JsonConverterAttribute) || ((JsonConverterAttribute)a).ConverterType?.Assembly != Platform);

    /// <summary>The compiler has made the getter, and no derived type can replace it: it returns the same value each time.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "CanExamine is false in a trimmed program.")]
    private static bool IsStored(PropertyInfo property, bool isSealed)
    {
        if (property.GetMethod is not { } getter || (getter.IsVirtual && !getter.IsFinal && !isSealed))
            return false;
        var type = property.DeclaringType!;
        // A getter with code of its own can have a backing field too (C# 14, field).
        return getter.IsDefined(typeof(CompilerGeneratedAttribute)) ? type.GetField($"<{property.Name}>k__BackingField", Own) is not null
            : type.IsDefined(typeof(CompilerGeneratedAttribute)) && type.GetField($"<{property.Name}>i__Field", Own) is not null;
    }
}
