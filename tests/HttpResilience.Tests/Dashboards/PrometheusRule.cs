using System.Text.RegularExpressions;

namespace HttpResilience.Tests.Dashboards;

/// <summary>A rule of ops/prometheus/http-resilience.rules.yml.</summary>
internal sealed partial class PrometheusRule(string text)
{
    internal static IReadOnlyList<PrometheusRule> All { get; } =
    [
        .. Start.Split(Repository.Read("ops/prometheus/http-resilience.rules.yml")).Skip(1).Select(text => new PrometheusRule(text)),
    ];

    internal bool IsAlert => text.StartsWith("alert", StringComparison.Ordinal);

    internal string Name => text.Split('\n')[0].Split(' ', 2)[1].Trim();

    internal PrometheusQuery Query => field ??= new(Regex.Replace(Expression.Match(text).Groups[1].Value, @"\s+", " "));

    /// <summary>The value of a key of the rule, its labels or its annotations; null without it.</summary>
    internal string? this[string key] =>
        Regex.Match(text, $@"^ +{key}: '?(.+?)'?$", RegexOptions.Multiline) is { Success: true } m ? m.Groups[1].Value : null;

    [GeneratedRegex(@"^ +expr: (?:>-\n)?((?:.|\n)+?)(?=\n +(?:for|labels):|\n\n|\n +#|\s*\z)", RegexOptions.Multiline)]
    private static partial Regex Expression { get; }

    [GeneratedRegex(@"^ +- (?=alert: |record: )", RegexOptions.Multiline)]
    private static partial Regex Start { get; }
}
