using System.Globalization;
using System.Net;

namespace HttpResilience.Simulation;

/// <summary>How a host fails for a while.</summary>
/// <param name="Name">The name in the table.</param>
/// <param name="From">When the host begins to fail.</param>
/// <param name="To">When it has recovered.</param>
/// <param name="Length">How long calls are made.</param>
/// <param name="WhileFailing">The answer to a request at a time between <paramref name="From"/> and <paramref name="To"/>.</param>
internal sealed record Shape(string Name, TimeSpan From, TimeSpan To, TimeSpan Length, Func<Random, TimeSpan, Answer> WhileFailing)
{
    private const int Instances = 10;

    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(10);

    /// <summary>A group is one line of the table: the mean of its shapes.</summary>
    internal string Group { get; init; } = Name;

    internal static IReadOnlyList<Shape> All { get; } =
    [
        Unavailable(2), Unavailable(5), Unavailable(10), Unavailable(30), Unavailable(120),
        // Lengths that differ by less than a break, so that the moment of the last probe does not decide.
        .. Enumerable.Range(0, 11).Select(i => Unavailable(20.5 + 3.7 * i) with { Group = "503 for 20.5–57.5 s" }),
        Silent(5), Silent(30),
        // Up for 2 s, then down for 2 s, for a minute.
        New("flapping, 2 s / 2 s", 0, 60, 80,
            (random, at) => (int)at.TotalSeconds / 2 % 2 == 1 ? new(HttpStatusCode.ServiceUnavailable, Soon) : Healthy(random)),
        Random(10), Random(20), Random(50),
        New("slow, 2 s", 20, 50, 90, (_, _) => new(HttpStatusCode.OK, TimeSpan.FromSeconds(2))),
        New("slow, 8–12 s", 20, 50, 90, (random, _) => new(HttpStatusCode.OK, TimeSpan.FromMilliseconds(random.Next(8_000, 12_000)))),
        // A balancer sends each request to any of the instances.
        New("half of 10 instances down", 20, 50, 90,
            (random, _) => random.Next(Instances) < Instances / 2 ? new(HttpStatusCode.ServiceUnavailable, Soon) : Healthy(random)),
    ];

    /// <summary>A host that does not fail: what the others are compared with.</summary>
    internal static Shape None { get; } = New("nothing fails", 20, 50, 90, (random, _) => Healthy(random));

    internal Answer AnswerAt(TimeSpan elapsed, Random random) =>
        elapsed >= From && elapsed < To ? WhileFailing(random, elapsed) : Healthy(random);

    private static Shape Unavailable(double seconds) => New(
        string.Create(CultureInfo.InvariantCulture, $"503 for {seconds:0.#} s"), 20, 20 + seconds, 60 + seconds,
        (_, _) => new(HttpStatusCode.ServiceUnavailable, Soon));

    // Afterwards until HttpClient's own timeout of 100 s has passed for the last call of the silence.
    private static Shape Silent(int seconds) =>
        New($"silent for {seconds} s", 20, 20 + seconds, 130 + seconds, (_, _) => new(null, TimeSpan.Zero));

    private static Shape Random(int percent) => New($"{percent} % fail at random", 0, 60, 80, (random, _) =>
        Healthy(random) with { Status = random.Next(100) < percent ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK });

    private static Shape New(string name, double from, double to, double length, Func<Random, TimeSpan, Answer> whileFailing) =>
        new(name, TimeSpan.FromSeconds(from), TimeSpan.FromSeconds(to), TimeSpan.FromSeconds(length), whileFailing);

    private static Answer Healthy(Random random) => new(HttpStatusCode.OK, TimeSpan.FromMilliseconds(random.Next(20, 80)));
}
