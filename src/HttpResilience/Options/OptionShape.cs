namespace HttpResilience;

/// <summary>
/// The type and the valid values of a configuration key, for the JSON schema that editors complete and check by. Not used at run time.
/// </summary>
/// <param name="Options">The options with a property of the same name.</param>
internal abstract record OptionShape(Type Options, string Name);

/// <summary>A key with one value.</summary>
/// <param name="Type">The type of the value in code; a <see cref="Nullable{T}"/> may also be null in the configuration.</param>
/// <param name="Limits">Null when every value of the type is valid.</param>
internal sealed record ValueShape(Type Options, string Name, Type Type, ValueLimits? Limits, object? Default) : OptionShape(Options, Name);

/// <summary>The valid values of a key.</summary>
/// <param name="Min">The minimum.</param>
/// <param name="Max">The maximum.</param>
/// <param name="Pattern">The regular expression that a text must match.</param>
/// <param name="Names">The choices.</param>
/// <param name="IsRequired">The key must be set: it has no default.</param>
internal sealed record ValueLimits(
    object? Min = null, object? Max = null, string? Pattern = null, IReadOnlyList<string>? Names = null, bool IsRequired = false);

/// <summary>A key with a list of texts.</summary>
/// <param name="Pattern">The regular expression that each text must match.</param>
/// <param name="Default">Null when the key may be null and is by default.</param>
internal sealed record ListShape(Type Options, string Name, string Pattern, IReadOnlyList<string>? Default) : OptionShape(Options, Name);

/// <summary>A key with a list of integers, which is empty by default.</summary>
internal sealed record IntegerListShape(Type Options, string Name, int Min, int Max) : OptionShape(Options, Name);

/// <summary>A key with a section of keys.</summary>
/// <param name="IsNullable">Null switches off what the section configures.</param>
internal sealed record SectionShape(Type Options, string Name, IReadOnlyList<OptionShape> Keys, bool IsNullable)
    : OptionShape(Options, Name);

/// <summary>A key with a section per HTTP status from 400 to 599.</summary>
internal sealed record StatusSectionsShape(Type Options, string Name, IReadOnlyList<OptionShape> Keys) : OptionShape(Options, Name);

/// <summary>A key with a section per route; its keys are those of the options.</summary>
internal sealed record RoutesShape(Type Options, string Name) : OptionShape(Options, Name);

/// <summary>A key with a list of sections.</summary>
/// <param name="Keys">The keys of each section.</param>
internal sealed record SectionListShape(Type Options, string Name, Type Section, IReadOnlyList<OptionShape> Keys)
    : OptionShape(Options, Name);

/// <summary>A key that is ignored.</summary>
internal sealed record IgnoredShape(Type Options, string Name) : OptionShape(Options, Name);
