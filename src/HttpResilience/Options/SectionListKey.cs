using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace HttpResilience;

/// <summary>A key with a list of sections; configuration replaces the whole list.</summary>
internal sealed class SectionListKey<TOptions, TSection>(
    string name, Func<TOptions, IList<TSection>> get, Action<TOptions, IList<TSection>> set, OptionKeys<TSection> keys)
    : OptionKey<TOptions>(name)
    where TSection : new()
{
    internal override void Bind(TOptions options, IConfigurationSection section, ICollection<string> problems)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            problems.Add($"{section.Path} is {OptionPath.Show(section.Value)}; it must be a list of sections.");
            return;
        }

        var list = new List<TSection>();
        foreach (var child in section.GetChildren())
        {
            var item = new TSection();
            keys.Bind(item, child, problems);
            list.Add(item);
        }

        set(options, list);
    }

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
        foreach (var (index, item) in get(options).Index())
            keys.Validate(item, path.Below(Name).Below(index.ToString(CultureInfo.InvariantCulture)), problems);
    }

    internal override OptionShape ShapeOf(TOptions defaults) =>
        new SectionListShape(typeof(TOptions), Name, typeof(TSection), keys.ShapesOf(new()));
}
