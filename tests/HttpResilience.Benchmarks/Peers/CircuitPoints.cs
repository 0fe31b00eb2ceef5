using System.Net.Sockets;
using Microsoft.Extensions.Configuration;

namespace HttpResilience.Peers;

/// <summary>Points about the circuit.</summary>
internal static class CircuitPoints
{
    internal static async Task<Seen> CancelledProbe(Peer peer)
    {
        var probing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isProbed = false;
        await using var server = await FaultServer.StartAsync(new FaultScript().Decide(_ =>
        {
            if (!isProbed)
                return Outcome.Status(503);
            return probing.TrySetResult() ? Outcome.NeverAnswers() : Outcome.Status(503);
        }));
        var pause = TimeSpan.FromSeconds(2);
        await using var client = new PeerClient(peer, new() { Retries = 0, FailuresToOpen = 2, Break = pause });
        while (await client.EndOfAsync(PeerClient.Get(server.Uri)) is var end && end.StartsWith("503", StringComparison.Ordinal))
        {
        }

        isProbed = true;
        await Task.Delay(pause * 1.1);
        using var caller = new CancellationTokenSource();
        var probe = client.EndOfAsync(PeerClient.Get(server.Uri), caller.Token);
        await probing.Task.WaitAsync(PeerClient.Hang);
        int before = server.RequestCount;
        await caller.CancelAsync();
        await probe;

        for (int i = 0; i < 3; i++)
            await client.EndOfAsync(PeerClient.Get(server.Uri));
        int requests = server.RequestCount - before;
        return $"{(requests == 1 ? "half-open" : "closed")}: {WritePoints.Count(requests, "request")}";
    }

    internal static async Task<Seen> ConnectTimeout(Peer peer)
    {
        const int Calls = 6;
        int connecting = 0;
        await using var client = new PeerClient(peer, new() { Retries = 0, FailuresToOpen = 3 }, sockets: s =>
        {
            s.ConnectTimeout = TimeSpan.FromMilliseconds(50);
            s.ConnectCallback = async (_, cancellationToken) =>
            {
                Interlocked.Increment(ref connecting);
                await Task.Delay(Timeout.Infinite, cancellationToken);
                throw new SocketException((int)SocketError.TimedOut);
            };
        });

        for (int i = 0; i < Calls; i++)
            await client.EndOfAsync(PeerClient.Get(new("http://127.0.0.1:9/")));

        return $"{connecting} of {Calls} calls connect";
    }

    internal static async Task<Seen> OtherHost(Peer peer)
    {
        await using var bad = await FaultServer.StartAsync(new FaultScript().Status(503));
        await using var good = await FaultServer.StartAsync(new FaultScript().Status(200));
        await using var client = new PeerClient(peer, new() { Retries = 0, FailuresToOpen = 2 });
        for (int i = 0; i < 3; i++)
            await client.EndOfAsync(PeerClient.Get(bad.Uri));

        return await client.EndOfAsync(PeerClient.Get(good.Uri));
    }

    internal static async Task<Seen> Reload(Peer peer)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(503));
        var configuration = new ConfigurationBuilder().AddInMemoryCollection().Build();
        await using var client = new PeerClient(services => peer.AddTo(services, configuration));
        while (await client.EndOfAsync(PeerClient.Get(server.Uri)) is var end && end.StartsWith("503", StringComparison.Ordinal))
        {
        }

        int before = server.RequestCount;
        configuration.Reload();
        await client.EndOfAsync(PeerClient.Get(server.Uri));

        return server.RequestCount > before ? "closed" : "open";
    }
}
