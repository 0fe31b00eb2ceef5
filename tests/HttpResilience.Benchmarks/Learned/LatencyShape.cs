namespace HttpResilience.Benchmarks;

/// <summary>How long an API takes to answer.</summary>
/// <param name="Name">What the table says.</param>
/// <param name="At">The latency of a request, of the time since the start and two random numbers in [0, 1).</param>
internal sealed record LatencyShape(string Name, Func<TimeSpan, double, double, TimeSpan> At)
{
    internal static IReadOnlyList<LatencyShape> All { get; } =
    [
        new("95 % in 20–40 ms, 5 % in 1–2 s", (_, which, random) =>
            Milliseconds(which < 0.95 ? 20 + 20 * random : 1000 + 1000 * random)),
        new("all in 20–40 ms", (_, _, random) => Milliseconds(20 + 20 * random)),
        new("a long tail: median 50 ms, p99 255 ms", (_, which, random) => Milliseconds(50 * Math.Exp(0.7 * Normal(which, random)))),
        new("slower and slower: 30 ms, then 300 ms", (elapsed, _, random) =>
            Milliseconds((elapsed < LearnedRun.Duration / 2 ? 30 : 300) * (0.7 + 0.6 * random))),
    ];

    private static TimeSpan Milliseconds(double value) => TimeSpan.FromMilliseconds(value);

    // Box and Muller.
    private static double Normal(double one, double two) => Math.Sqrt(-2 * Math.Log(1 - one)) * Math.Cos(2 * Math.PI * two);
}
