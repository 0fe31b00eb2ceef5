using Microsoft.Extensions.Configuration;

namespace HttpResilience;

/// <summary>A key with a secret URI: only its scheme and host may be shown.</summary>
internal sealed class SecretUriKey<TOptions>(string name, Func<TOptions, Uri?> get, Action<TOptions, Uri?> set) : OptionKey<TOptions>(name)
{
    private const string Expected = "it must be an absolute http or https URI (its value is a secret and not shown).";

    internal override void Bind(TOptions options, IConfigurationSection section, OptionReport report)
    {
        // Reports text that is not a URI; validation reports an invalid URI.
        if (Uri.TryCreate(section.Value, UriKind.Absolute, out var uri))
            set(options, uri);
        else if (!string.IsNullOrEmpty(section.Value) || section.GetChildren().Any())
            report.Problems.Add($"{section.Path} is not a URI; {Expected}");
    }

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
        if (get(options) is not { IsAbsoluteUri: true, Scheme: "http" or "https" })
            problems.Add($"{path.Of(Name)} is {(get(options) is null ? "missing" : "of another kind")}; {Expected}");
    }

    internal override void Copy(TOptions from, TOptions to) => set(to, get(from));

    internal override OptionShape ShapeOf(TOptions defaults) =>
        new ValueShape(typeof(TOptions), Name, typeof(Uri), new(Pattern: "^https?://", IsRequired: true), null);
}
