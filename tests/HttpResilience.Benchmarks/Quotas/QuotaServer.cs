using System.Globalization;
using System.Net;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>An API that keeps its documented limits and sends its documented fields, in virtual time.</summary>
internal sealed class QuotaServer(VirtualTime time, ScriptedApi api, int seed) : HttpMessageHandler
{
    private readonly Random _random = new(seed);
    private readonly List<TimeSpan> _granted = [];

    /// <summary>The times of the requests that were granted.</summary>
    internal IReadOnlyList<TimeSpan> Granted => _granted;

    internal int Rejected { get; private set; }

    /// <summary>Requests sent after a response had said that nothing is left, and before there was.</summary>
    internal int IntoClosedDoor { get; private set; }

    internal IReadOnlyList<QuotaLimit> Limits { get; } = api.Limits();

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Limits.Any(l => time.Elapsed < l.ClosedUntil))
            IntoClosedDoor++;
        var source = new TaskCompletionSource<HttpResponseMessage>();
        // As on a network, requests and responses overtake each other.
        time.At(time.Elapsed + Trip(), () =>
        {
            var response = Answer(request);
            (QuotaLimit Limit, TimeSpan At, TimeSpan Until)[] told = [.. Limits.Select(l => (l, time.Elapsed, Told(l)))];
            time.At(time.Elapsed + Trip(), () =>
            {
                foreach (var (limit, at, until) in told)
                {
                    if (at >= limit.ToldAt && api.HasFields)
                        (limit.ToldAt, limit.ClosedUntil) = (at, until);
                }

                source.SetResult(response);
            });
        });
        return source.Task;
    }

    private TimeSpan Told(QuotaLimit limit) => limit.Left(time.Elapsed) < 1 ? limit.OpensAt(time.Elapsed) : default;

    private TimeSpan Trip() => TimeSpan.FromMilliseconds(5 + 60 * _random.NextDouble());

    private HttpResponseMessage Answer(HttpRequestMessage request)
    {
        var now = time.Elapsed;
        double[] costs = [.. Limits.Select(l => l.Cost?.Invoke(_random) ?? 1)];
        bool isGranted = Limits.Zip(costs).All(l => l.First.Left(now) >= l.Second);
        if (isGranted)
        {
            foreach (var (limit, cost) in Limits.Zip(costs))
                limit.Take(cost, now);
            _granted.Add(now);
        }
        else
        {
            Rejected++;
        }

        var response = new HttpResponseMessage(isGranted ? HttpStatusCode.OK : api.Rejection) { RequestMessage = request };
        response.Headers.TryAddWithoutValidation("Date", time.GetUtcNow().ToString("R", CultureInfo.InvariantCulture));
        foreach (var limit in Limits)
            api.Report(response, limit, Math.Max(0, Math.Floor(limit.Left(now))), time.GetUtcNow(), limit.ResetAt(now) - now);
        if (!isGranted)
            api.Reject(response, Limits.Zip(costs).Where(l => l.First.Left(now) < l.Second).Max(l => l.First.OpensAt(now)) - now);
        return response;
    }
}
