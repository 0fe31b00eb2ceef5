using Microsoft.Extensions.Configuration;

namespace HttpResilience;

/// <summary>A key with a section of keys. The configuration does not tell a section that is null from one without keys.</summary>
/// <param name="switchOff">What null means; null where nothing can be switched off.</param>
/// <param name="instead">How to write what null means, or may have been meant for.</param>
internal sealed class SectionKey<TOptions, TSection>(
    string name, Func<TOptions, TSection> get, OptionKeys<TSection> keys, Action<TSection>? switchOff, string instead)
    : OptionKey<TOptions>(name)
{
    internal override IEnumerable<string> Paths => [Name, .. keys.Paths.Select(path => $"{Name}:{path}")];

    internal override void Bind(TOptions options, IConfigurationSection section, OptionReport report)
    {
        if (!OptionPath.IsNull(section))
        {
            report.NoteMerge(section, isList: false);
            keys.Bind(get(options), section, report, switchOff is null ? "" : ", or null to switch it off");
        }
        else if (switchOff is not null)
            SwitchOff(get(options), section, report);
        else
            report.Problems.Add($"{section.Path} is null or empty; it must be a section with keys. {instead}");
    }

    private void SwitchOff(TSection options, IConfigurationSection section, OptionReport report)
    {
        (string, object?)[] before = [.. keys.ValuesOf(options)];
        switchOff!(options);
        if (!keys.ValuesOf(options).SequenceEqual(before))
            report.Notes.Add($"{section.Path} is null or empty and thereby switched off; to say so, write {instead}");
    }

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems) =>
        keys.Validate(get(options), path.Below(Name), problems);

    internal override IEnumerable<(string Path, object? Value)> ValuesOf(TOptions options) =>
        keys.ValuesOf(get(options)).Select(v => ($"{Name}:{v.Path}", v.Value));

    internal override void Copy(TOptions from, TOptions to) => keys.Copy(get(from), get(to));

    internal override OptionShape ShapeOf(TOptions defaults) =>
        new SectionShape(typeof(TOptions), Name, keys.ShapesOf(get(defaults)), IsNullable: switchOff is not null);
}

/// <summary>A key with an optional section of keys.</summary>
internal sealed class OptionalSectionKey<TOptions, TSection>(
    string name, Func<TOptions, TSection?> get, Func<TOptions, TSection> make, Action<TOptions> remove, OptionKeys<TSection> keys)
    : OptionKey<TOptions>(name)
    where TSection : class
{
    internal override IEnumerable<string> Paths => [Name, .. keys.Paths.Select(path => $"{Name}:{path}")];

    internal override void Bind(TOptions options, IConfigurationSection section, OptionReport report)
    {
        report.NoteMerge(section, isList: false);
        if (OptionPath.IsNull(section))
            remove(options);
        else
            keys.Bind(make(options), section, report, ", or null to switch it off");
    }

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
        if (get(options) is { } value)
            keys.Validate(value, path.Below(Name), problems);
    }

    internal override IEnumerable<(string Path, object? Value)> ValuesOf(TOptions options) =>
        get(options) is { } value ? keys.ValuesOf(value).Select(v => ($"{Name}:{v.Path}", v.Value)) : [];

    internal override void Copy(TOptions from, TOptions to)
    {
        remove(to);
        if (get(from) is { } value)
            keys.Copy(value, make(to));
    }

    internal override OptionShape ShapeOf(TOptions defaults) =>
        new SectionShape(typeof(TOptions), Name, keys.ShapesOf(make(defaults)), IsNullable: true);
}

/// <summary>A key with a section per HTTP status.</summary>
internal sealed class StatusSectionsKey<TOptions, TSection>(
    string name, Func<TOptions, IDictionary<int, TSection>> get, OptionKeys<TSection> keys)
    : OptionKey<TOptions>(name)
    where TSection : new()
{
    internal override IEnumerable<string> Paths => [Name, .. keys.Paths.Select(path => $"{Name}:<status>:{path}")];

    internal override void Bind(TOptions options, IConfigurationSection section, OptionReport report)
    {
        if (OptionPath.IsNull(section))
            get(options).Clear();
        else if (section.Value is not null || section.GetChildren().Any(c => c.Key == "0"))
            report.Problems.Add($"{section.Path} is {OptionPath.Show(section)}; it must be a section with a key per status, such as 503.");
        else
            BindEach(options, section, report);
    }

    private void BindEach(TOptions options, IConfigurationSection section, OptionReport report)
    {
        foreach (var child in section.GetChildren())
        {
            if (!OptionKeys<TSection>.TryParseInteger(child.Key, out int status))
            {
                report.Problems.Add($"{child.Path} is not a key here; a key of {Name} must be an HTTP status from 400 to 599.");
                continue;
            }

            if (OptionPath.IsNull(child))
            {
                get(options).Remove(status);
                continue;
            }

            if (!get(options).TryGetValue(status, out var value))
                get(options)[status] = value = new TSection();
            keys.Bind(value, child, report);
        }
    }

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
        foreach (var (status, value) in get(options))
        {
            var here = path.Below(Name).Below(OptionPath.Show(status).Trim('\''));
            if (status is < 400 or > 599)
                problems.Add($"{here.Of(null)} is not a key here; a key of {Name} must be an HTTP status from 400 to 599.");
            if (value is null)
                problems.Add($"{here.Of(null)} is null; it must be a section with keys such as {keys.Paths.First()}.");
            else
                keys.Validate(value, here, problems);
        }
    }

    internal override IEnumerable<(string Path, object? Value)> ValuesOf(TOptions options) => get(options).SelectMany(status =>
        keys.ValuesOf(status.Value).Select(v => ($"{Name}:{OptionPath.Show(status.Key).Trim('\'')}:{v.Path}", v.Value)));

    internal override void Copy(TOptions from, TOptions to)
    {
        get(to).Clear();
        foreach (var (status, value) in get(from))
        {
            var copy = get(to)[status] = new TSection();
            if (value is not null)
                keys.Copy(value, copy);
        }
    }

    internal override OptionShape ShapeOf(TOptions defaults) => new StatusSectionsShape(typeof(TOptions), Name, keys.ShapesOf(new()));
}
