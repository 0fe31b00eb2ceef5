namespace HttpResilience.Simulation;

/// <summary>Every fault of the fault server and as many successes, in an order given by the seed.</summary>
internal static class FaultMix
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(10);
    private static readonly string Long = new('x', 100_000);

    private static readonly Outcome[] Successes =
    [
        Outcome.Status(200), Outcome.Status(201, "created"), Outcome.Json(200, """{ "number": 17 }"""), Outcome.Status(200, Long),
        Outcome.Status(204),
        Outcome.Status(200, "late").Delayed(Moment),
    ];

    private static readonly Outcome[] Faults =
    [
        Outcome.Status(500, Long), Outcome.Status(502), Outcome.Status(503, "down"), Outcome.Status(503, retryAfter: Moment),
        Outcome.Status(503, DateTimeOffset.UnixEpoch),
        Outcome.Status(429, headers: ("retry-after-ms", "10")), Outcome.Status(404), Outcome.Json(422, """{ "title": "no" }"""),
        Outcome.Status(413).Unread(),
        Outcome.Reset(), Outcome.Reset().Unread(), Outcome.Reset().Delayed(Moment), Outcome.HalfHead(), Outcome.HalfBody(200, "half"),
        Outcome.HalfBody(503, "half"),
        Outcome.Raw("no HTTP at all\r\n\r\n"), Outcome.Raw("HTTP/1.1 200 OK\r\nContent-Le", RawEnd.Reset),
        Outcome.NeverAnswers(), Outcome.StalledBody(200, "begin"), Outcome.StalledBody(503, "begin"),
        Outcome.Raw("HTTP/1.1 200 OK\r\nContent-Le", RawEnd.Stall),
    ];

    internal static FaultScript NewScript(int seed)
    {
        int number = 0;
        return new FaultScript(keepsRequests: false).Decide(_ =>
        {
            var luck = new Luck(((ulong)seed << 40) + (ulong)Interlocked.Increment(ref number));
            var outcomes = luck.Next() < 0.5 ? Successes : Faults;
            return outcomes[(int)(luck.Next() * outcomes.Length)];
        });
    }
}
