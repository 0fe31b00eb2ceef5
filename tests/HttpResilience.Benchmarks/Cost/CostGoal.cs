using System.Globalization;

namespace HttpResilience.Benchmarks;

/// <summary>An aim for the cost of ours.</summary>
/// <param name="Text">The aim, for the table.</param>
/// <param name="IsMet">Compares the line with it; null when a line that it needs was not measured.</param>
internal sealed record CostGoal(string Text, Func<CostRow, IReadOnlyList<CostRow>, bool?> IsMet)
{
    /// <summary>The added time is at most this part of what Polly and Microsoft add.</summary>
    internal static CostGoal Time(int polly, int microsoft) => new(
        Write($"≤ 1/{polly} Polly, ≤ 1/{microsoft} Microsoft"),
        (row, _) => row.ShareOf(CostPeer.Polly) * polly <= 1 && row.ShareOf(CostPeer.Microsoft) * microsoft <= 1);

    /// <summary>The added bytes are at most a third of what Polly adds.</summary>
    internal static CostGoal Bytes { get; } =
        new("bytes ≤ 1/3 Polly", (row, _) => row.Of(CostPeer.Polly) is { } polly && row.Ours.Bytes <= polly.Bytes / 3);

    /// <summary>The added bytes are those of another scenario.</summary>
    internal static CostGoal SameBytes(CostScenario other) => new(
        "bytes as with one in flight",
        (row, all) => all.FirstOrDefault(r => r.Scenario == other) is { } one ? row.Ours.Bytes < one.Ours.Bytes + 1 : null);

    /// <summary>The whole call takes at most this multiple of the floor.</summary>
    internal static CostGoal Times(double most) =>
        new(Write($"≤ {most} ×"), (row, _) => row.Ours.Nanoseconds <= (most - 1) * row.Bare.Nanoseconds);

    /// <summary>The added time is at most this share of the bare call.</summary>
    internal static CostGoal Share(double most) =>
        new(Write($"≤ +{most:0 %}"), (row, _) => row.Ours.Nanoseconds <= most * row.Bare.Nanoseconds);

    internal static CostGoal Kept(double nanoseconds, double bytes) => new(
        Write($"≤ {nanoseconds:#,0} ns, ≤ {bytes} B"),
        (row, _) => row.Ours.Nanoseconds <= nanoseconds && row.Ours.Bytes <= bytes);

    internal static CostGoal Longest(double nanoseconds, double longest) => new(
        Write($"≤ {nanoseconds:#,0} ns, no call above {longest / 1e6} ms"),
        (row, _) => row.Ours.Nanoseconds <= nanoseconds && row.Longest?.Median <= longest);

    private static string Write(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
