namespace HttpResilience.Benchmarks;

/// <summary>An API and the calls to it.</summary>
/// <param name="Places">How many requests it serves at once, by the time.</param>
/// <param name="Service">How long it serves one, by the time and a random number.</param>
/// <param name="Next">The time from one call to the next, by a random number.</param>
internal sealed record LoadScenario(
    string Name, Func<TimeSpan, int> Places, Func<TimeSpan, Func<double>, TimeSpan> Service, Func<double, TimeSpan> Next)
{
    internal static readonly TimeSpan HalvedAt = TimeSpan.FromSeconds(30);
    internal static readonly TimeSpan RestoredAt = TimeSpan.FromSeconds(90);
    internal static readonly TimeSpan Length = TimeSpan.FromSeconds(120);

    /// <summary>The calls per second of the scenario whose capacity is halved.</summary>
    internal const int Offered = 1200;

    private const int All = 50;
    private const int Burst = 200;

    private static readonly Func<TimeSpan, Func<double>, TimeSpan> Same = static (_, _) => TimeSpan.FromMilliseconds(30);

    /// <summary>50 places, 30 ms each; 25 places for a minute.</summary>
    internal static LoadScenario Halved { get; } = new(
        "capacity halved for 60 s", static at => at >= HalvedAt && at < RestoredAt ? All / 2 : All, Same, Poisson(Offered));

    /// <summary>Nothing is wrong.</summary>
    internal static IReadOnlyList<LoadScenario> Healthy { get; } =
    [
        new("1,200 calls/s", static _ => All, Same, Poisson(Offered)),
        new("200 calls/s", static _ => All, Same, Poisson(200)),
        new("1,200 calls/s, latency exponential", static _ => All,
            static (_, random) => TimeSpan.FromMilliseconds(-30 * Math.Log(1 - random())), Poisson(Offered)),
        new("200 calls/s, one in 20 takes 1 to 2 s", static _ => 10 * All,
            static (_, random) => TimeSpan.FromMilliseconds(random() < 0.05 ? 1000 + 1000 * random() : 20 + 20 * random()), Poisson(200)),
        new("1,200 calls/s, 30 ms become 90 ms without a queue", static _ => 10 * All,
            static (at, _) => TimeSpan.FromMilliseconds(at < HalvedAt ? 30 : 90), Poisson(Offered))
        {
            CompareFrom = HalvedAt + TimeSpan.FromSeconds(10),
        },
    ];

    /// <summary>All calls of a second at once.</summary>
    internal static LoadScenario Bursts { get; } = new(
        "200 calls at once, each second", static _ => All, Same, static _ => TimeSpan.FromSeconds(1))
    {
        CallsAtOnce = Burst,
    };

    internal static IReadOnlyList<LoadScenario> WithoutFault { get; } = [.. Healthy, Bursts];

    /// <summary>From when on its calls must be as fast as without a limit.</summary>
    internal TimeSpan CompareFrom { get; private init; }

    internal int CallsAtOnce { get; private init; } = 1;

    private static Func<double, TimeSpan> Poisson(double rate) => random => TimeSpan.FromSeconds(-Math.Log(1 - random) / rate);
}
