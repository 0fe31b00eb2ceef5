using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Peers;

/// <summary>Points about the number of requests, log records, connections and bytes.</summary>
internal static class LoadPoints
{
    internal static async Task<Seen> Outage(Peer peer)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(503));
        await using var client = new PeerClient(peer, new() { HasBudget = true });

        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => client.EndOfAsync(PeerClient.Get(server.Uri))));

        return new(server.RequestCount <= 130 ? "at most 130" : "more", WritePoints.Count(server.RequestCount, "request"));
    }

    internal static async Task<Seen> AddedTwice(Peer peer)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(503));
        await using var client = new PeerClient(services =>
        {
            peer.AddTo(services, new PeerSettings());
            return peer.AddTo(services, new PeerSettings());
        });

        await client.EndOfAsync(PeerClient.Get(server.Uri));

        return WritePoints.Count(server.RequestCount, "request");
    }

    internal static async Task<Seen> AddedHeader(Peer peer)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(503));
        await using var client = new PeerClient(peer, build: builder => builder.AddHttpMessageHandler(() => new HeaderHandler()));

        await client.EndOfAsync(PeerClient.Get(server.Uri));

        return string.Join(", ", server.Requests.Select(r => r.Headers["X-Added"].Split(',').Length)) + " values";
    }

    internal static async Task<Seen> LogRecords(Peer peer, int status)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(status));
        await using var client = new PeerClient(peer);
        long before = client.LogRecords;

        await client.EndOfAsync(PeerClient.Get(server.Uri));

        return (client.LogRecords - before).ToString(CultureInfo.InvariantCulture);
    }

    internal static async Task<Seen> ManyCalls(Peer peer)
    {
        const int Calls = 1001;
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int ready = 0;
        await using var client = new PeerClient(
            peer, PeerSettings.BuiltIn, builder => builder.AddHttpMessageHandler(() => new GateHandler(gate.Task, Ready)));

        var calls = Enumerable.Range(0, Calls).Select(async _ =>
        {
            string end = await client.EndOfAsync(PeerClient.Get(new("http://127.0.0.1:9/")));
            if (end != "200")
                Ready();
            return end;
        }).ToList();
        await gate.Task.WaitAsync(PeerClient.Hang);
        string[] ends = await Task.WhenAll(calls);
        return $"{ends.Count(e => e != "200")} rejected";

        void Ready()
        {
            if (Interlocked.Increment(ref ready) == Calls)
                gate.SetResult();
        }
    }

    internal static async Task<Seen> Connections(Peer peer)
    {
        string body = new('x', 500_000);
        await using var server = await FaultServer.StartAsync(
            new FaultScript().Status(503, body).Times(3).Status(200), new() { KeepsConnections = true });
        await using var client = new PeerClient(peer, sockets: s =>
        {
            // A busy machine may need longer for the rest of a body than the default of two seconds.
            (s.MaxConnectionsPerServer, s.ResponseDrainTimeout) = (1, TimeSpan.FromSeconds(30));
        });

        string end = await client.EndOfAsync(PeerClient.Get(server.Uri));

        return $"{WritePoints.Count(server.Connections, "connection")}, {end}";
    }

    internal static async Task<Seen> Hosts(Peer peer)
    {
        const int Hosts = 20_000;
        Uri[] uris = [.. Enumerable.Range(0, 2 * Hosts).Select(i => new Uri($"http://tenant{i}.example.com/"))];
        // A Uri is parsed lazily, which is no part of the measurement.
        await using (var other = New())
            await CallAsync(other, uris);

        // What others have left behind may be freed in the middle of one measurement, which the median of three does not see.
        List<(double Each, double All)> measured = [];
        while (measured.Count < 3)
            measured.Add(await MeasureAsync());
        double each = measured.Order().ElementAt(1).Each;
        double all = measured.OrderBy(m => m.All).ElementAt(1).All;

        string bytes = each < 400 ? "less than 400 B" : "more";
        // Twice as many hosts take twice the memory of a peer without a bound.
        string bounded = all < each * Hosts * 1.5 ? "bounded" : "unbounded";
        return new($"{bytes}, {bounded}", string.Create(CultureInfo.InvariantCulture, $"{each:N0} B"));

        async Task<(double Each, double All)> MeasureAsync()
        {
            await using var client = New();
            long before = Live();
            await CallAsync(client, uris[..Hosts]);
            long half = Live();
            await CallAsync(client, uris[Hosts..]);
            long all = Live();
            GC.KeepAlive(uris);
            return ((half - before) / (double)Hosts, all - before);
        }

        PeerClient New() => new(
            peer, new() { ByAuthority = true, MaxHosts = Hosts },
            builder => builder.RemoveAllLoggers().ConfigurePrimaryHttpMessageHandler(() => new Ok()));

        static long Live()
        {
            _ = GC.GetTotalMemory(forceFullCollection: true);
            GC.WaitForPendingFinalizers();
            return GC.GetTotalMemory(forceFullCollection: true);
        }
    }

    private static async Task CallAsync(PeerClient client, Uri[] uris)
    {
        foreach (var uri in uris)
        {
            using var response = await client.Client.SendAsync(PeerClient.Get(uri), HttpCompletionOption.ResponseHeadersRead);
        }
    }

    private sealed class HeaderHandler : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Add("X-Added", "value");
            return base.SendAsync(request, cancellationToken);
        }
    }

    /// <summary>Answers when all calls have arrived here or failed.</summary>
    private sealed class GateHandler(Task gate, Action arrived) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            arrived();
            await gate.WaitAsync(cancellationToken);
            return new(HttpStatusCode.OK);
        }
    }

    private sealed class Ok : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK));
    }
}
