namespace HttpResilience;

/// <summary>What a configuration key may hold, for the JSON schema that editors complete and check by. Nobody asks for it while the chain runs.</summary>
/// <param name="Options">The options that have the key as a property of the same name.</param>
internal abstract record OptionShape(Type Options, string Name);

/// <summary>A key that holds one value.</summary>
/// <param name="Type">What the value is in code; a <see cref="Nullable{T}"/> may be null in the configuration, too.</param>
/// <param name="Limits">Null when any value of the type will do.</param>
internal sealed record ValueShape(Type Options, string Name, Type Type, ValueLimits? Limits, object? Default) : OptionShape(Options, Name);

/// <summary>Which values of its type a key may hold.</summary>
/// <param name="Min">The least one.</param>
/// <param name="Max">The greatest one.</param>
/// <param name="Pattern">What a text must match.</param>
/// <param name="Names">The choices.</param>
/// <param name="IsRequired">The key must be given: it has no default.</param>
internal sealed record ValueLimits(object? Min = null, object? Max = null, string? Pattern = null, IReadOnlyList<string>? Names = null, bool IsRequired = false);

/// <summary>A key that holds a list of texts.</summary>
/// <param name="Pattern">What each of them must match.</param>
internal sealed record ListShape(Type Options, string Name, string Pattern, IReadOnlyList<string> Default) : OptionShape(Options, Name);

/// <summary>A key that holds more keys.</summary>
internal sealed record SectionShape(Type Options, string Name, IReadOnlyList<OptionShape> Keys) : OptionShape(Options, Name);

/// <summary>A key that holds a section for each HTTP status from 400 to 599.</summary>
internal sealed record StatusSectionsShape(Type Options, string Name, IReadOnlyList<OptionShape> Keys) : OptionShape(Options, Name);

/// <summary>A key that holds a list of sections.</summary>
/// <param name="Keys">Of each of them.</param>
internal sealed record SectionListShape(Type Options, string Name, Type Section, IReadOnlyList<OptionShape> Keys) : OptionShape(Options, Name);

/// <summary>A key that is passed over.</summary>
internal sealed record IgnoredShape(Type Options, string Name) : OptionShape(Options, Name);
