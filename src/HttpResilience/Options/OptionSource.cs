namespace HttpResilience;

/// <summary>Where a setting is written; of two, the later one is the more specific.</summary>
internal enum OptionSource
{
    /// <summary>Nowhere: it is the default of the library.</summary>
    BuiltIn,

    /// <summary>In <c>HttpResilience:Defaults</c>.</summary>
    Defaults,

    /// <summary>In the section of the client.</summary>
    Client,

    /// <summary>In code.</summary>
    Code,
}
