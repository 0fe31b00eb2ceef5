using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace HttpResilience;

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

    internal override IEnumerable<(string Path, object? Value)> ValuesOf(TOptions options) =>
        [(Name, get(options) is { } items ? string.Join(' ', items) : null)];

    internal override OptionShape ShapeOf(TOptions defaults) => new IntegerListShape(typeof(TOptions), Name, min, max);
}
