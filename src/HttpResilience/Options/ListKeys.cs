using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace HttpResilience;

/// <summary>A key with a list of values, or null where that is allowed; configuration replaces the whole list.</summary>
internal sealed class ListKey<TOptions>(
    string name, string expected, Func<TOptions, IList<string>?> get, Action<TOptions, IList<string>> set, Func<string, bool> isAllowed,
    string pattern, Action<TOptions>? setNull = null)
    : OptionKey<TOptions>(name)
{
    internal override void Bind(TOptions options, IConfigurationSection section, OptionReport report)
    {
        if (setNull is not null && OptionPath.IsNull(section))
            setNull(options);
        else if (ListSections.In(section, Expected, report.Problems, HintFor) is { } items)
        {
            report.NoteMerge(section, isList: true);
            set(options, [.. items.Select(item => item.Value ?? "")]);
        }
    }

    private string Expected => $"a list, each item {expected}{(setNull is null ? "" : ", or null")}";

    private static string HintFor(IConfigurationSection section, IReadOnlyList<IConfigurationSection> items)
    {
        string[] texts = [.. (items.Count > 0 ? items.Select(i => i.Key) : section.Value!.Split(',', ' ', ';', '[', ']', '"'))
            .Where(text => text.Length > 0)];
        return $" Write [{string.Join(", ", texts.Select(text => $"\"{text}\""))}], or a key for each: "
            + $"{string.Join(", ", texts.Index().Select(text => $"{section.Path}:{text.Index}"))}.";
    }

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
        if (get(options) is not { } items)
        {
            if (setNull is null)
                problems.Add($"{path.Of(Name)} is null; it must be {Expected}.");
            return;
        }

        foreach (var (index, item) in items.Index())
        {
            if (!isAllowed(item))
                problems.Add($"{path.Of(Name)}:{index} is {OptionPath.Show(item)}; it must be {expected}.{WithoutSpaces(item)}");
        }
    }

    private string WithoutSpaces(string? item) =>
        item?.Trim() is { Length: > 0 } trimmed && trimmed != item && isAllowed(trimmed) ? $" Write '{trimmed}' without spaces." : "";

    internal override IEnumerable<(string Path, object? Value)> ValuesOf(TOptions options) =>
        [(Name, get(options) is { } items ? string.Join(' ', items) : null)];

    internal override void Copy(TOptions from, TOptions to)
    {
        if (get(from) is { } items)
            set(to, [.. items]);
        else
            setNull?.Invoke(to);
    }

    internal override OptionShape ShapeOf(TOptions defaults) =>
        new ListShape(typeof(TOptions), Name, pattern, get(defaults) is { } items ? [.. items] : null);
}

/// <summary>A key with a list of sections; configuration replaces the whole list.</summary>
/// <param name="most">The number of sections that are allowed.</param>
internal sealed class SectionListKey<TOptions, TSection>(
    string name, Func<TOptions, IList<TSection>> get, Action<TOptions, IList<TSection>> set, OptionKeys<TSection> keys,
    int most = int.MaxValue)
    : OptionKey<TOptions>(name)
    where TSection : new()
{
    internal override IEnumerable<string> Paths => [Name, .. keys.Paths.Select(path => $"{Name}:<index>:{path}")];

    internal override void Bind(TOptions options, IConfigurationSection section, OptionReport report)
    {
        if (ListSections.In(section, "a list of sections", report.Problems) is not { } items)
            return;

        var list = new List<TSection>();
        foreach (var child in items)
        {
            var item = new TSection();
            // Not shown: the address of a webhook is a secret.
            if (child.Value is not null)
                report.Problems.Add($"{child.Path} is a text; it must be a section with keys such as {keys.Paths.First()}.");
            else
                keys.Bind(item, child, report);
            list.Add(item);
        }

        set(options, list);
    }

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
        if (get(options) is not { } items)
        {
            problems.Add($"{path.Of(Name)} is null; it must be a list of sections.");
            return;
        }

        if (items.Count > most)
            problems.Add($"{path.Of(Name)} has {items.Count} sections; it must have at most {most}.");
        foreach (var (index, item) in items.Index())
        {
            var here = path.Below(Name).Below(index.ToString(CultureInfo.InvariantCulture));
            if (item is null)
                problems.Add($"{here.Of(null)} is null; it must be a section with keys such as {keys.Paths.First()}.");
            else
                keys.Validate(item, here, problems);
        }
    }

    internal override void Copy(TOptions from, TOptions to) => set(to, [.. get(from).Select(item =>
    {
        var copy = new TSection();
        keys.Copy(item, copy);
        return copy;
    })]);

    internal override IEnumerable<(string Path, object? Value)> ValuesOf(TOptions options) => get(options) is not { } items ? []
        : items.Index().SelectMany(item => item.Item is null ? [] : keys.ValuesOf(item.Item)
            .Select(v => (string.Create(CultureInfo.InvariantCulture, $"{Name}:{item.Index}:{v.Path}"), v.Value)));

    internal override OptionShape ShapeOf(TOptions defaults) =>
        new SectionListShape(typeof(TOptions), Name, typeof(TSection), keys.ShapesOf(new()));
}

/// <summary>A key with a list of integers; configuration replaces the whole list.</summary>
internal sealed class IntegerListKey<TOptions>(
    string name, Func<TOptions, IList<int>?> get, Action<TOptions, IList<int>> set, int min, int max)
    : OptionKey<TOptions>(name)
{
    private readonly string _item = string.Create(CultureInfo.InvariantCulture, $"an integer from {min} to {max}");

    internal override void Bind(TOptions options, IConfigurationSection section, OptionReport report)
    {
        if (ListSections.In(section, $"a list, each item {_item}", report.Problems, static (_, _) => " Write [1, 2].") is not { } items)
            return;

        report.NoteMerge(section, isList: true);
        var values = new List<int>();
        foreach (var item in items)
        {
            if (OptionKeys<TOptions>.TryParseInteger(item.Value, out int value))
                values.Add(value);
            else
                report.Problems.Add($"{item.Path} is {OptionPath.Show(item)}; it must be {_item}.");
        }

        set(options, values);
    }

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
        if (get(options) is not { } items)
        {
            problems.Add($"{path.Of(Name)} is null; it must be a list, each item {_item}.");
            return;
        }

        foreach (var (index, item) in items.Index())
        {
            if (item < min || item > max)
                problems.Add($"{path.Of(Name)}:{index} is {OptionPath.Show(item)}; it must be {_item}.");
        }
    }

    internal override void Copy(TOptions from, TOptions to) => set(to, get(from) is { } items ? [.. items] : []);

    internal override IEnumerable<(string Path, object? Value)> ValuesOf(TOptions options) =>
        [(Name, get(options) is { } items ? string.Join(' ', items) : null)];

    internal override OptionShape ShapeOf(TOptions defaults) => new IntegerListShape(typeof(TOptions), Name, min, max);
}

/// <summary>The items of a list in the configuration: an array has the keys 0, 1, 2, and an empty one is an empty text.</summary>
internal static class ListSections
{
    /// <returns>Null when the section is not a list, which is reported.</returns>
    /// <param name="hint">How to write a section that is not a list as one; without it its text may be a secret, and is not shown.</param>
    internal static IConfigurationSection[]? In(
        IConfigurationSection section, string expected, ICollection<string> problems,
        Func<IConfigurationSection, IReadOnlyList<IConfigurationSection>, string>? hint = null)
    {
        IConfigurationSection[] items = [.. section.GetChildren()];
        if (OptionPath.IsNull(section))
        {
            problems.Add($"{section.Path} is null; it must be {expected}. Leave it out for the default, or write [] for none.");
            return null;
        }

        if (string.IsNullOrEmpty(section.Value) && items.All(item => OptionPath.IsIndex(item.Key)))
            return items;

        string shown = hint is null && items.Length == 0 ? "a text" : OptionPath.Show(section);
        problems.Add($"{section.Path} is {shown}; it must be {expected}.{hint?.Invoke(section, items)}");
        return null;
    }
}
