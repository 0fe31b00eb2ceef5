using Microsoft.Extensions.Configuration;

namespace HttpResilience;

/// <summary>A configuration key of <typeparamref name="TOptions"/>: how it is read, and its valid values.</summary>
internal abstract class OptionKey<TOptions>(string name)
{
    internal string Name => name;

    /// <summary>Reads the section into the options. An unreadable value is reported and leaves the option unchanged.</summary>
    internal abstract void Bind(TOptions options, IConfigurationSection section, ICollection<string> problems);

    /// <summary>Reports invalid values, from configuration and from code.</summary>
    internal abstract void Validate(TOptions options, OptionPath path, ICollection<string> problems);

    /// <summary>The type and the valid values of the key.</summary>
    /// <param name="defaults">Options with their default values.</param>
    internal abstract OptionShape ShapeOf(TOptions defaults);
}

internal delegate bool TryParse<TValue>(string? text, out TValue value);

/// <summary>A key with one value.</summary>
internal sealed class ValueKey<TOptions, TValue>(
    string name, string expected, Func<TOptions, TValue> get, Action<TOptions, TValue> set, TryParse<TValue> tryParse,
    Func<TValue, bool> isAllowed, ValueLimits? limits)
    : OptionKey<TOptions>(name)
{
    internal override void Bind(TOptions options, IConfigurationSection section, ICollection<string> problems)
    {
        if (!section.GetChildren().Any() && tryParse(section.Value, out var value))
            set(options, value);
        else
            problems.Add($"{section.Path} is {OptionPath.Show(section.Value)}; it must be {expected}.");
    }

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
        if (get(options) is var value && !isAllowed(value))
            problems.Add($"{path.Of(Name)} is {OptionPath.Show(value)}; it must be {expected}.");
    }

    internal override OptionShape ShapeOf(TOptions defaults) =>
        new ValueShape(typeof(TOptions), Name, typeof(TValue), limits, get(defaults));
}

/// <summary>A key with a list of values, or null where that is allowed; configuration replaces the whole list.</summary>
internal sealed class ListKey<TOptions>(
    string name, string expected, Func<TOptions, IList<string>?> get, Action<TOptions, IList<string>> set, Func<string, bool> isAllowed,
    string pattern, Action<TOptions>? setNull = null)
    : OptionKey<TOptions>(name)
{
    internal override void Bind(TOptions options, IConfigurationSection section, ICollection<string> problems)
    {
        if (!string.IsNullOrEmpty(section.Value))
            problems.Add($"{section.Path} is {OptionPath.Show(section.Value)}; it must be a list of {expected}.");
        else if (setNull is not null && section.Value is null && !section.GetChildren().Any())
            setNull(options);
        else
            set(options, [.. section.GetChildren().Select(item => item.Value ?? "")]);
    }

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
        foreach (var (index, item) in (get(options) ?? []).Index())
        {
            if (!isAllowed(item))
                problems.Add($"{path.Of(Name)}:{index} is {OptionPath.Show(item)}; it must be {expected}.");
        }
    }

    internal override OptionShape ShapeOf(TOptions defaults) =>
        new ListShape(typeof(TOptions), Name, pattern, get(defaults) is { } items ? [.. items] : null);
}

/// <summary>A key of other pipelines that is ignored here.</summary>
internal sealed class IgnoredKey<TOptions>(string name) : OptionKey<TOptions>(name)
{
    internal override void Bind(TOptions options, IConfigurationSection section, ICollection<string> problems)
    {
    }

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
    }

    internal override OptionShape ShapeOf(TOptions defaults) => new IgnoredShape(typeof(TOptions), Name);
}
