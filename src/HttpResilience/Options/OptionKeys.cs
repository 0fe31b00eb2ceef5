using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace HttpResilience.Configuration;

/// <summary>
/// The configuration keys of <typeparamref name="TOptions"/>, each with its type and range, for binding, validation and the hints about
/// misspelt keys. The platform's binder stops at the first unreadable value and ignores unknown keys. Public so that other packages can
/// define their own section.
/// </summary>
/// <typeparam name="TOptions">The options that have the keys as properties.</typeparam>
public sealed class OptionKeys<TOptions>
{
    private readonly List<OptionKey<TOptions>> _keys = [];

    /// <summary>Sets the options to what a section says; keys that it leaves out stay as they are.</summary>
    /// <param name="options">The options.</param>
    /// <param name="section">The section.</param>
    /// <param name="problems">Gets what cannot be read and what is not a key, each with its path.</param>
    public void Bind(TOptions options, IConfigurationSection section, ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(section);
        ArgumentNullException.ThrowIfNull(problems);
        Bind(options, section, new OptionReport(problems, section.Path, () => Paths));
    }

    /// <param name="orNull">What null means, for the message.</param>
    internal void Bind(TOptions options, IConfigurationSection section, OptionReport report, string orNull = "")
    {
        IConfigurationSection[] children = [.. section.GetChildren()];
        if (section.Value is not null || (children.Length > 0 && children.All(c => OptionPath.IsIndex(c.Key))))
        {
            report.Problems.Add(
                $"{section.Path} is {OptionPath.Show(section)}; it must be a section with keys such as {_keys[0].Name}{orNull}.");
            return;
        }

        foreach (var child in children)
        {
            if (_keys.Find(k => k.Name.Equals(child.Key, StringComparison.OrdinalIgnoreCase)) is not { } key)
                report.AddUnknownKey(child, _keys.Where(k => k is not IgnoredKey<TOptions>).Select(k => k.Name));
            else if (report.Refusal(child) is { } refusal)
                report.Problems.Add(refusal);
            else
                key.Bind(options, child, report);
        }
    }

    /// <summary>The paths of all keys.</summary>
    internal IEnumerable<string> Paths => _keys.SelectMany(k => k.Paths);

    /// <summary>The values of all keys by their paths.</summary>
    internal IEnumerable<(string Path, object? Value)> ValuesOf(TOptions options) => _keys.SelectMany(k => k.ValuesOf(options));

    /// <summary>The value of a key by its path; null when there is none.</summary>
    internal object? ValueOf(TOptions options, string path) =>
        ValuesOf(options).FirstOrDefault(v => v.Path.Equals(path, StringComparison.OrdinalIgnoreCase)).Value;

    /// <summary>Tells what is out of its range, whether configuration or code set it.</summary>
    /// <param name="options">The options.</param>
    /// <param name="section">The path of the section that they are read from.</param>
    /// <param name="problems">Gets each problem with the path of its key.</param>
    public void Validate(TOptions options, string section, ICollection<string> problems) =>
        Validate(options, OptionPath.At(section), problems);

    internal void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
        foreach (var key in _keys)
            key.Validate(options, path, problems);
    }

    /// <inheritdoc cref="OptionKey{TOptions}.Copy"/>
    internal void Copy(TOptions from, TOptions to) => _keys.ForEach(key => key.Copy(from, to));

    /// <inheritdoc cref="OptionKey{TOptions}.ShapeOf"/>
    internal IReadOnlyList<OptionShape> ShapesOf(TOptions defaults) => [.. _keys.Select(k => k.ShapeOf(defaults))];

    internal OptionKeys<TOptions> Integer(string name, Func<TOptions, int> get, Action<TOptions, int> set, int min, int max) =>
        Add(name, $"an integer {Range(min, max == int.MaxValue ? null : max)}", get, set, TryParseInteger, v => v >= min && v <= max,
            new(min, max), text => IntegerText.Remedy(text, min, max));

    internal OptionKeys<TOptions> OptionalInteger(string name, Func<TOptions, int?> get, Action<TOptions, int?> set, int min, int max) =>
        Add(name, $"an integer {Range(min, max == int.MaxValue ? null : max)}, or null", get, set, Optional<int>(TryParseInteger),
            v => v is null || (v >= min && v <= max), new(min, max), text => IntegerText.Remedy(text, min, max));

    internal OptionKeys<TOptions> Number(string name, Func<TOptions, double> get, Action<TOptions, double> set, double min, double max) =>
        Add(name, $"a number {Range(min, max)}", get, set, TryParseNumber, v => v >= min && v <= max, new(min, max),
            max == 1 ? ShareOf : null);

    /// <summary>A number in a range, or null.</summary>
    /// <param name="name">The key.</param>
    /// <param name="get">Reads the property.</param>
    /// <param name="set">Sets the property.</param>
    /// <param name="min">The least value.</param>
    /// <param name="max">The greatest value.</param>
    /// <returns>The same keys.</returns>
    public OptionKeys<TOptions> OptionalNumber(string name, Func<TOptions, double?> get, Action<TOptions, double?> set, double min,
        double max) =>
        Add(name, $"a number {Range(min, max)}, or null", get, set, Optional<double>(TryParseNumber),
            v => v is null || (v >= min && v <= max), new(min, max), max == 1 ? ShareOf : null);

    private static string? ShareOf(string? text) =>
        TryParseNumber(text?.TrimEnd('%', ' '), out double percent) && percent <= 100 && (percent >= 2 || text!.EndsWith('%'))
            ? string.Create(CultureInfo.InvariantCulture, $"write {percent / 100} for {percent} %") : null;

    internal OptionKeys<TOptions> Duration(string name, Func<TOptions, TimeSpan> get, Action<TOptions, TimeSpan> set, TimeSpan min,
        TimeSpan max) =>
        Add(name, $"a duration (d.hh:mm:ss.fff) {Range(min, max)}", get, set, DurationText.TryParse, v => v >= min && v <= max,
            new(min, max), text => DurationText.Remedy(text, min, max));

    /// <summary>A duration in a range, or null.</summary>
    /// <param name="name">The key.</param>
    /// <param name="get">Reads the property.</param>
    /// <param name="set">Sets the property.</param>
    /// <param name="min">The least value.</param>
    /// <param name="max">The greatest value.</param>
    /// <returns>The same keys.</returns>
    public OptionKeys<TOptions> OptionalDuration(string name, Func<TOptions, TimeSpan?> get, Action<TOptions, TimeSpan?> set,
        TimeSpan min, TimeSpan max) =>
        DurationOrNull(name, get, set, min, max, "switch it off");

    /// <param name="meaning">What null does.</param>
    internal OptionKeys<TOptions> DurationOrNull(string name, Func<TOptions, TimeSpan?> get, Action<TOptions, TimeSpan?> set,
        TimeSpan min, TimeSpan max, string meaning) =>
        Add(name, $"a duration (d.hh:mm:ss.fff) {Range(min, max)}, or null to {meaning}", get, set,
            Optional<TimeSpan>(DurationText.TryParse), v => v is null || (v >= min && v <= max), new(min, max),
            text => DurationText.Remedy(text, min, max));

    /// <summary>True or false.</summary>
    /// <param name="name">The key.</param>
    /// <param name="get">Reads the property.</param>
    /// <param name="set">Sets the property.</param>
    /// <returns>The same keys.</returns>
    public OptionKeys<TOptions> Boolean(string name, Func<TOptions, bool> get, Action<TOptions, bool> set) =>
        Add(name, "true or false", get, set, bool.TryParse, _ => true);

    /// <summary>A name of an enum.</summary>
    /// <param name="name">The key.</param>
    /// <param name="get">Reads the property.</param>
    /// <param name="set">Sets the property.</param>
    /// <returns>The same keys.</returns>
    public OptionKeys<TOptions> Choice<TEnum>(string name, Func<TOptions, TEnum> get, Action<TOptions, TEnum> set)
        where TEnum : struct, Enum =>
        Add(name, $"one of {string.Join(", ", Enum.GetNames<TEnum>())}", get, set, TryParseChoice, v => Enum.IsDefined(v),
            new(Names: Enum.GetNames<TEnum>()));

    /// <summary>A name of an enum, or null.</summary>
    /// <param name="name">The key.</param>
    /// <param name="get">Reads the property.</param>
    /// <param name="set">Sets the property.</param>
    /// <param name="except">A name that is not allowed. Default: none.</param>
    /// <returns>The same keys.</returns>
    public OptionKeys<TOptions> OptionalChoice<TEnum>(string name, Func<TOptions, TEnum?> get, Action<TOptions, TEnum?> set,
        TEnum? except = null)
        where TEnum : struct, Enum
    {
        string[] names = [.. Enum.GetNames<TEnum>().Where(n => n != except?.ToString())];
        return Add(name, $"one of {string.Join(", ", names)}, or null", get, set, Optional<TEnum>(TryParseChoice),
            v => v is null || (Enum.IsDefined(v.Value) && !v.Equals(except)), new(Names: names));
    }

    /// <summary>A name of an enum, or null; the message has the nearest name.</summary>
    internal OptionKeys<TOptions> NearestChoice<TEnum>(string name, Func<TOptions, TEnum?> get, Action<TOptions, TEnum?> set)
        where TEnum : struct, Enum
    {
        string[] names = Enum.GetNames<TEnum>();
        return Add(name, $"one of {string.Join(", ", names)}, or null", get, set, Optional<TEnum>(TryParseChoice),
            v => v is null || Enum.IsDefined(v.Value), new(Names: names),
            text => text is null ? null : $"the nearest is {Spelling.Nearest(text, names)}");
    }

    /// <summary>A name of an enum, which must be given.</summary>
    /// <param name="name">The key.</param>
    /// <param name="get">Reads the property.</param>
    /// <param name="set">Sets the property.</param>
    /// <returns>The same keys.</returns>
    public OptionKeys<TOptions> RequiredChoice<TEnum>(string name, Func<TOptions, TEnum?> get, Action<TOptions, TEnum?> set)
        where TEnum : struct, Enum =>
        Add(name, $"one of {string.Join(", ", Enum.GetNames<TEnum>())}", get, set, Optional<TEnum>(TryParseChoice),
            v => v is { } value && Enum.IsDefined(value),
            new(Names: Enum.GetNames<TEnum>(), IsRequired: true));

    internal OptionKeys<TOptions> OptionalUri(string name, Func<TOptions, Uri?> get, Action<TOptions, Uri?> set) =>
        Add(name, "an absolute http or https URI, or null", get, set, TryParseUri,
            v => v is null || HttpAuthority.IsHttp(v), new(Pattern: @"^https?(\+https?)*://"));

    internal OptionKeys<TOptions> RequestHeader(string name, Func<TOptions, string> get, Action<TOptions, string> set) =>
        Add(name, "an HTTP field name (RFC 9110 §5.6.2) of a request", get, set,
            (string? text, out string value) =>
                (value = text ?? "").Length > 0, HttpToken.IsRequestHeader, new(Pattern: HttpToken.Pattern));

    internal OptionKeys<TOptions> FieldName(
        string name, Func<TOptions, string?> get, Action<TOptions, string?> set, bool isRequired = false) =>
        Add(name, $"an HTTP field name (RFC 9110 §5.1){(isRequired ? "" : ", or null")}", get, set,
            (string? text, out string? value) =>
            {
                value = string.IsNullOrEmpty(text) ? null : text;
                return true;
            }, v => v is null ? !isRequired : HttpToken.IsValid(v),
            new(Pattern: isRequired ? HttpToken.Pattern : $"^$|{HttpToken.Pattern}", IsRequired: isRequired));

    internal OptionKeys<TOptions> Tokens(string name, Func<TOptions, IList<string>> get, Action<TOptions, IList<string>> set) =>
        Add(new ListKey<TOptions>(name, "an HTTP token (RFC 9110 §5.6.2)", get, set, HttpToken.IsValid, HttpToken.Pattern));

    internal OptionKeys<TOptions> OptionalTokens(string name, Func<TOptions, IList<string>?> get, Action<TOptions, IList<string>?> set) =>
        Add(new ListKey<TOptions>(name, "an HTTP token (RFC 9110 §5.6.2)", get, set, HttpToken.IsValid, HttpToken.Pattern,
            options => set(options, null)));

    internal OptionKeys<TOptions> Authorities(string name, Func<TOptions, IList<string>> get, Action<TOptions, IList<string>> set) =>
        Add(new ListKey<TOptions>(name, "scheme, host and port, such as https://api.example.com", get, set, HttpAuthority.IsValid,
            HttpAuthority.Pattern));

    internal OptionKeys<TOptions> Uris(string name, Func<TOptions, IList<string>> get, Action<TOptions, IList<string>> set) =>
        Add(new ListKey<TOptions>(name, "a base address, such as https://eu.api.example.com/v1/", get, set, HttpAuthority.IsBaseAddress,
            HttpAuthority.BasePattern));

    internal OptionKeys<TOptions> Integers(
        string name, Func<TOptions, IList<int>> get, Action<TOptions, IList<int>> set, int min, int max) =>
        Add(new IntegerListKey<TOptions>(name, get, set, min, max));

    internal OptionKeys<TOptions> Texts(string name, Func<TOptions, IList<string>> get, Action<TOptions, IList<string>> set) =>
        Add(new ListKey<TOptions>(name, "text that is not empty", get, set, v => !string.IsNullOrWhiteSpace(v), @"\S"));

    /// <summary>A section whose null switches off what it configures.</summary>
    /// <param name="instead">The key and its value that say so.</param>
    internal OptionKeys<TOptions> Section<TSection>(
        string name, Func<TOptions, TSection> get, OptionKeys<TSection> keys, Action<TSection> switchOff, string instead) =>
        Add(new SectionKey<TOptions, TSection>(name, get, keys, switchOff, instead));

    /// <summary>A section that cannot be null.</summary>
    /// <param name="instead">How to write what null may have been meant for.</param>
    internal OptionKeys<TOptions> Section<TSection>(
        string name, Func<TOptions, TSection> get, OptionKeys<TSection> keys, string instead) =>
        Add(new SectionKey<TOptions, TSection>(name, get, keys, null, instead));

    internal OptionKeys<TOptions> OptionalSection<TSection>(
        string name, Func<TOptions, TSection?> get, Func<TOptions, TSection> make, Action<TOptions> remove, OptionKeys<TSection> keys)
        where TSection : class =>
        Add(new OptionalSectionKey<TOptions, TSection>(name, get, make, remove, keys));

    internal OptionKeys<TOptions> SectionPerStatus<TSection>(string name, Func<TOptions, IDictionary<int, TSection>> get,
        OptionKeys<TSection> keys)
        where TSection : new() =>
        Add(new StatusSectionsKey<TOptions, TSection>(name, get, keys));

    internal OptionKeys<TOptions> SectionPerRoute(string name, Func<TOptions, RouteSections> get) =>
        Add(new RoutesKey<TOptions>(name, get));

    /// <summary>A list of sections.</summary>
    /// <param name="name">The key.</param>
    /// <param name="get">Reads the property.</param>
    /// <param name="set">Sets the property.</param>
    /// <param name="keys">The keys of each section.</param>
    /// <returns>The same keys.</returns>
    public OptionKeys<TOptions> Sections<TSection>(
        string name, Func<TOptions, IList<TSection>> get, Action<TOptions, IList<TSection>> set, OptionKeys<TSection> keys)
        where TSection : new() =>
        Add(new SectionListKey<TOptions, TSection>(name, get, set, keys));

    /// <summary>A list of at most so many sections.</summary>
    internal OptionKeys<TOptions> Sections<TSection>(
        string name, Func<TOptions, IList<TSection>> get, Action<TOptions, IList<TSection>> set, OptionKeys<TSection> keys, int most)
        where TSection : new() =>
        Add(new SectionListKey<TOptions, TSection>(name, get, set, keys, most));

    /// <summary>Text, or null.</summary>
    /// <param name="name">The key.</param>
    /// <param name="get">Reads the property.</param>
    /// <param name="set">Sets the property.</param>
    /// <returns>The same keys.</returns>
    public OptionKeys<TOptions> OptionalText(string name, Func<TOptions, string?> get, Action<TOptions, string?> set) =>
        Add(name, "text, or null", get, set, (string? text, out string? value) =>
        {
            value = string.IsNullOrEmpty(text) ? null : text;
            return true;
        }, _ => true);

    /// <summary>An absolute http or https URI, which must be given and is never shown.</summary>
    /// <param name="name">The key.</param>
    /// <param name="get">Reads the property.</param>
    /// <param name="set">Sets the property.</param>
    /// <returns>The same keys.</returns>
    public OptionKeys<TOptions> SecretUri(string name, Func<TOptions, Uri?> get, Action<TOptions, Uri?> set) =>
        Add(new SecretUriKey<TOptions>(name, get, set));

    internal OptionKeys<TOptions> Ignored(string name) => Add(new IgnoredKey<TOptions>(name));

    internal static bool TryParseInteger(string? text, out int value) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    private static bool TryParseNumber(string? text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);

    // Not by number, and not several.
    private static bool TryParseChoice<TEnum>(string? text, out TEnum value)
        where TEnum : struct, Enum =>
        Enum.TryParse(text, ignoreCase: true, out value)
            && Enum.GetNames<TEnum>().Contains(text, StringComparer.OrdinalIgnoreCase);

    private static bool TryParseUri(string? text, out Uri? value)
    {
        value = null;
        return string.IsNullOrEmpty(text) || Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out value);
    }

    private static TryParse<TValue?> Optional<TValue>(TryParse<TValue> tryParse)
        where TValue : struct => (string? text, out TValue? value) =>
    {
        value = null;
        if (string.IsNullOrEmpty(text))
            return true;
        if (!tryParse(text, out var given))
            return false;
        value = given;
        return true;
    };

    private static string Range(object min, object? max) => max is null
        ? string.Create(CultureInfo.InvariantCulture, $"of {min} or more")
        : string.Create(CultureInfo.InvariantCulture, $"from {min} to {max}");

    private OptionKeys<TOptions> Add<TValue>(
        string name, string expected, Func<TOptions, TValue> get, Action<TOptions, TValue> set, TryParse<TValue> tryParse,
        Func<TValue, bool> isAllowed, ValueLimits? limits = null, Func<string?, string?>? remedy = null) =>
        Add(new ValueKey<TOptions, TValue>(name, expected, get, set, tryParse, isAllowed, limits, remedy));

    private OptionKeys<TOptions> Add(OptionKey<TOptions> key)
    {
        _keys.Add(key);
        return this;
    }
}
