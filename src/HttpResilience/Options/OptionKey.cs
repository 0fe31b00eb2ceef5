using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace HttpResilience;

/// <summary>A configuration key of <typeparamref name="TOptions"/>: how it is read, and its valid values.</summary>
internal abstract class OptionKey<TOptions>(string name)
{
    internal string Name => name;

    /// <summary>Its path and those of the keys below it.</summary>
    internal virtual IEnumerable<string> Paths => [name];

    /// <summary>Reads the section into the options. An unreadable value is reported and leaves the option unchanged.</summary>
    internal abstract void Bind(TOptions options, IConfigurationSection section, OptionReport report);

    /// <summary>Reports invalid values, from configuration and from code.</summary>
    internal abstract void Validate(TOptions options, OptionPath path, ICollection<string> problems);

    /// <summary>The paths and values of the key and those below it.</summary>
    internal virtual IEnumerable<(string Path, object? Value)> ValuesOf(TOptions options) => [];

    /// <summary>Gives other options the same values; lists and sections are not shared.</summary>
    internal abstract void Copy(TOptions from, TOptions to);

    /// <summary>The type and the valid values of the key.</summary>
    /// <param name="defaults">Options with their default values.</param>
    internal abstract OptionShape ShapeOf(TOptions defaults);
}

internal delegate bool TryParse<TValue>(string? text, out TValue value);

/// <summary>A key with one value.</summary>
internal sealed class ValueKey<TOptions, TValue>(
    string name, string expected, Func<TOptions, TValue> get, Action<TOptions, TValue> set, TryParse<TValue> tryParse,
    Func<TValue, bool> isAllowed, ValueLimits? limits, Func<string?, string?>? remedy)
    : OptionKey<TOptions>(name)
{
    internal override void Bind(TOptions options, IConfigurationSection section, OptionReport report)
    {
        if (!section.GetChildren().Any() && tryParse(section.Value, out var value))
            set(options, value);
        else
            report.Problems.Add($"{section.Path} is {OptionPath.Show(section)}; it must be {expected}.{Hint(section.Value)}");
    }

    private string Hint(string? text) => (remedy?.Invoke(text) ?? WithoutSpaces(text)) is { } hint
        ? $" {char.ToUpperInvariant(hint[0])}{hint[1..]}." : "";

    private string? WithoutSpaces(string? text) =>
        text?.Trim() is { Length: > 0 } trimmed && trimmed != text && tryParse(trimmed, out var value) && isAllowed(value)
            ? $"write '{trimmed}' without spaces" : null;

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
        if (get(options) is var value && !isAllowed(value))
        {
            string? text = Convert.ToString(value, CultureInfo.InvariantCulture);
            problems.Add($"{path.Of(Name)} is {OptionPath.Show(value)}; it must be {expected}.{Hint(text)}");
        }
    }

    internal override IEnumerable<(string Path, object? Value)> ValuesOf(TOptions options) => [(Name, get(options))];

    internal override void Copy(TOptions from, TOptions to) => set(to, get(from));

    internal override OptionShape ShapeOf(TOptions defaults) =>
        new ValueShape(typeof(TOptions), Name, typeof(TValue), limits, get(defaults));
}

/// <summary>A key of other pipelines that is ignored here.</summary>
internal sealed class IgnoredKey<TOptions>(string name) : OptionKey<TOptions>(name)
{
    internal override IEnumerable<string> Paths => [];

    internal override void Bind(TOptions options, IConfigurationSection section, OptionReport report)
    {
    }

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
    }

    internal override void Copy(TOptions from, TOptions to)
    {
    }

    internal override OptionShape ShapeOf(TOptions defaults) => new IgnoredShape(typeof(TOptions), Name);
}
