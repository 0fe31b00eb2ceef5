using System.Net;

namespace HttpResilience.Simulation;

/// <summary>The faults of the three APIs on that day.</summary>
internal sealed class FaultPlan
{
    internal const int Apis = 3;

    /// <summary>The API that stops answering for a while.</summary>
    internal const int SilentApi = 1;

    internal const double Lone503 = 0.002;
    internal const double LoneSilence = 0.0002;
    internal const double MedianMs = 80;
    internal const double Sigma = 0.6;

    internal static readonly TimeSpan Day = TimeSpan.FromDays(1);
    internal static readonly TimeSpan OutageFrom = TimeSpan.FromHours(14);
    internal static readonly TimeSpan OutageLength = TimeSpan.FromMinutes(15);
    internal static readonly TimeSpan BetweenHiccups = TimeSpan.FromMinutes(15);
    internal static readonly TimeSpan AskedInHiccup = TimeSpan.FromSeconds(2);

    private readonly int _seed;
    private readonly List<Hiccup>[] _hiccups = new List<Hiccup>[Apis];

    internal FaultPlan(int seed)
    {
        _seed = seed;
        var random = new Random(seed);
        for (int api = 0; api < Apis; api++)
        {
            _hiccups[api] = [];
            for (TimeSpan at = Pause(random); at < Day; at += Pause(random))
                _hiccups[api].Add(
                    new(at, at + TimeSpan.FromSeconds(1 + 3 * random.NextDouble()), AsksForTime: _hiccups[api].Count % 2 == 1));
        }
    }

    internal Answer Answer(Payment payment, TimeSpan now)
    {
        var luck = payment.NextLuck(_seed);
        double fate = luck.Next();
        if (IsSilent(payment.Api, now))
            return new(null, TimeSpan.Zero);
        if (fate < LoneSilence)
        {
            payment.IsFirstLost |= payment.Requests == 1;
            return new(null, TimeSpan.Zero);
        }

        if (HiccupOf(payment.Api, now) is { } hiccup)
            return new(HttpStatusCode.ServiceUnavailable, TimeSpan.FromMilliseconds(5), hiccup.AsksForTime ? AskedInHiccup : null);

        // Latencies are log-normal (Box-Muller transform).
        double normal = Math.Sqrt(-2 * Math.Log(1 - luck.Next())) * Math.Cos(2 * Math.PI * luck.Next());
        var latency = TimeSpan.FromMilliseconds(MedianMs * Math.Exp(Sigma * normal));
        return new(fate < LoneSilence + Lone503 ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.Created, latency);
    }

    internal static bool IsSilent(int api, TimeSpan now) => api == SilentApi && now >= OutageFrom && now < OutageFrom + OutageLength;

    private Hiccup? HiccupOf(int api, TimeSpan now)
    {
        // The list is short and ordered; outages that have ended are removed.
        var hiccups = _hiccups[api];
        while (hiccups.Count > 0 && hiccups[0].To <= now)
            hiccups.RemoveAt(0);
        return hiccups.Count > 0 && hiccups[0].From <= now ? hiccups[0] : null;
    }

    private static TimeSpan Pause(Random random) => -Math.Log(1 - random.NextDouble()) * BetweenHiccups;

    /// <summary>A few seconds in which every response is 503, such as a failover or a deployment.</summary>
    private sealed record Hiccup(TimeSpan From, TimeSpan To, bool AsksForTime);
}
