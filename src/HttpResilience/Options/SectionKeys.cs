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

/// <summary>A key with a section of keys.</summary>
internal sealed class SectionKey<TOptions, TSection>(string name, Func<TOptions, TSection> get, OptionKeys<TSection> keys)
    : OptionKey<TOptions>(name)
{
    internal override void Bind(TOptions options, IConfigurationSection section, ICollection<string> problems) =>
        keys.Bind(get(options), section, problems);

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems) =>
        keys.Validate(get(options), path.Below(Name), problems);

    internal override OptionShape ShapeOf(TOptions defaults) => new SectionShape(typeof(TOptions), Name, keys.ShapesOf(get(defaults)));
}

/// <summary>A key with an optional section of keys.</summary>
internal sealed class OptionalSectionKey<TOptions, TSection>(
    string name, Func<TOptions, TSection?> get, Func<TOptions, TSection> make, OptionKeys<TSection> keys) : OptionKey<TOptions>(name)
    where TSection : class
{
    internal override void Bind(TOptions options, IConfigurationSection section, ICollection<string> problems)
    {
        if (section.Exists())
            keys.Bind(make(options), section, problems);
    }

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
        if (get(options) is { } value)
            keys.Validate(value, path.Below(Name), problems);
    }

    internal override OptionShape ShapeOf(TOptions defaults) => new SectionShape(typeof(TOptions), Name, keys.ShapesOf(make(defaults)));
}

/// <summary>A key with a section per HTTP status.</summary>
internal sealed class StatusSectionsKey<TOptions, TSection>(
    string name, Func<TOptions, IDictionary<int, TSection>> get, OptionKeys<TSection> keys)
    : OptionKey<TOptions>(name)
    where TSection : new()
{
    internal override void Bind(TOptions options, IConfigurationSection section, ICollection<string> problems)
    {
        foreach (var child in section.GetChildren())
        {
            if (!OptionKeys<TSection>.TryParseInteger(child.Key, out int status))
            {
                problems.Add($"{child.Path} is not a key here; a key of {Name} must be an HTTP status from 400 to 599.");
                continue;
            }

            if (!get(options).TryGetValue(status, out var value))
                get(options)[status] = value = new TSection();
            keys.Bind(value, child, problems);
        }
    }

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
        foreach (var (status, value) in get(options))
        {
            var here = path.Below(Name).Below(OptionPath.Show(status).Trim('\''));
            if (status is < 400 or > 599)
                problems.Add($"{here.Of(null)} is not a key here; a key of {Name} must be an HTTP status from 400 to 599.");
            keys.Validate(value, here, problems);
        }
    }

    internal override OptionShape ShapeOf(TOptions defaults) => new StatusSectionsShape(typeof(TOptions), Name, keys.ShapesOf(new()));
}
