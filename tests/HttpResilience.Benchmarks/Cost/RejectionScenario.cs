using System.Net;
using Polly.CircuitBreaker;

namespace HttpResilience.Benchmarks;

/// <summary>Calls that an open circuit rejects; the floor is a bare client whose primary handler throws.</summary>
internal sealed class RejectionScenario() : CostScenario("rejection by an open circuit")
{
    private const int Calls = 200;

    internal override CostUnit Unit => CostUnit.Times;

    internal override CostRow Measure(int rounds)
    {
        var settings = new ClientSettings { RetriesAtOnce = true, StaysOpen = true };
        using var down = new Clients(() => new ThrowingStub(), settings);
        using var failing = new Clients(() => new Stub(suspends: false, HttpStatusCode.ServiceUnavailable), settings);
        return new(this, CostRounds.Measure(new Dictionary<CostPeer, Func<Cost>>
        {
            [CostPeer.Bare] = Block<HttpRequestException>(down.Create(CostPeer.Bare)),
            [CostPeer.Ours] = Open<CircuitOpenException>(failing.Create(CostPeer.Ours)),
            [CostPeer.Polly] = Open<BrokenCircuitException>(failing.Create(CostPeer.Polly)),
            [CostPeer.Microsoft] = Open<BrokenCircuitException>(failing.Create(CostPeer.Microsoft)),
        }, rounds));
    }

    private static Func<Cost> Open<TRejection>(HttpClient client)
        where TRejection : Exception
    {
        for (int i = 0; i < 1000; i++)
        {
            try
            {
                new Load(client, RequestKind.Get, inFlight: 1).Run(1);
            }
            catch (TRejection)
            {
                break;
            }
        }

        return Block<TRejection>(client);
    }

    private static Func<Cost> Block<TRejection>(HttpClient client)
        where TRejection : Exception
    {
        var load = new Load(client, RequestKind.Get, inFlight: 1);
        return () =>
        {
            int rejections = 0;
            var cost = Cost.OfThread(Calls, () => rejections = Reject<TRejection>(load));
            return rejections == Calls ? cost : throw new InvalidOperationException($"{rejections} of {Calls} calls were rejected.");
        };
    }

    private static int Reject<TRejection>(Load load)
        where TRejection : Exception
    {
        int rejections = 0;
        for (int i = 0; i < Calls; i++)
        {
            try
            {
                load.Run(1);
            }
            catch (TRejection)
            {
                rejections++;
            }
        }

        return rejections;
    }
}
