using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Peers;

/// <summary>Points about timeouts and delays. None of them needs a fast machine for the right result.</summary>
internal static class TimePoints
{
    internal static async Task<Seen> StalledBody(Peer peer, bool isSync = false, bool ofConstructor = false)
    {
        var total = TimeSpan.FromSeconds(1);
        await using var server = await FaultServer.StartAsync(new FaultScript().StalledBody(200, "the beginning"));
        PeerSettings settings = ofConstructor ? new() { OfConstructor = total } : new() { Total = total, Attempt = total / 2 };
        await using var client = new PeerClient(peer, settings);
        using var stop = new CancellationTokenSource();

        var sending = isSync
            ? Task.Factory.StartNew(() => client.Client.Send(PeerClient.Get(server.Uri), stop.Token), CancellationToken.None,
                TaskCreationOptions.LongRunning, TaskScheduler.Default)
            : client.Client.SendAsync(PeerClient.Get(server.Uri), stop.Token);
        // Ours may take as long as a busy machine needs.
        var longest = peer.IsOurs ? PeerClient.Hang : total * 4;
        await Task.WhenAny(sending, Task.Delay(longest));
        bool ended = sending.IsCompleted;
        await stop.CancelAsync();
        await sending.ContinueWith(static ended => ended.Exception, TaskScheduler.Default);
        if (ended)
            return "ends";
        return client.Client.Timeout == Timeout.InfiniteTimeSpan ? "hangs" : "waits for HttpClient.Timeout";
    }

    internal static async Task<Seen> RetryAfterBeyondTotal(Peer peer, bool ofConstructor = false)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(503, "", TimeSpan.FromSeconds(60)));
        // Ours does not wait, so that its total can be long enough for a busy machine.
        var total = TimeSpan.FromSeconds(peer.IsOurs ? 30 : 2);
        PeerSettings settings = ofConstructor ? new() { OfConstructor = total } : new() { Total = total, Attempt = total * 0.9 };
        await using var client = new PeerClient(peer, settings);

        return await RequestsAndEndAsync(client, server);
    }

    internal static async Task<Seen> AbsurdRetryAfter(Peer peer, string value)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(503, headers: ("Retry-After", value)));
        await using var client = new PeerClient(peer);

        return await RequestsAndEndAsync(client, server);
    }

    internal static async Task<Seen> ElapsedRetryAfter(Peer peer, string value)
    {
        var delay = TimeSpan.FromMilliseconds(250);
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(503, headers: ("Retry-After", value)));
        List<TimeSpan> waits = [];
        await using var client = new PeerClient(
            peer, new() { Delay = delay }, builder => builder.AddHttpMessageHandler(() => new WaitHandler(waits)));

        await client.EndOfAsync(PeerClient.Get(server.Uri));

        string requests = WritePoints.Count(server.RequestCount, "request");
        // Ours waits at least as long as asked, and others may use timers that are a bit early; only a busy machine makes the waits of one
        // that does not wait as long.
        var shortest = peer.IsOurs ? delay : delay * 0.9;
        return waits.TrueForAll(w => w >= shortest) ? $"{requests}, waits of the backoff" : $"{requests}, no wait";
    }

    internal static async Task<Seen> TimeoutException(Peer peer, bool ofConstructor = false)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().NeverAnswers());
        var total = TimeSpan.FromSeconds(1);
        PeerSettings settings = ofConstructor ? new() { OfConstructor = total } : new() { Total = total, Attempt = total * 0.9 };
        await using var client = new PeerClient(peer, settings with { Retries = 0 });

        try
        {
            using var response = await client.Client.SendAsync(PeerClient.Get(server.Uri)).WaitAsync(PeerClient.Hang);
            return PeerClient.EndOf(response);
        }
        catch (Exception e)
        {
            return e.InnerException is TimeoutException ? $"{e.GetType().Name} with TimeoutException" : e.GetType().Name;
        }
    }

    internal static async Task<Seen> ForeignCancellation(Peer peer)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().NeverAnswers());
        var handler = new StoppingHandler();
        await using var client = new PeerClient(
            peer, new() { MakesKeys = true }, builder => builder.AddHttpMessageHandler(() => handler));

        string end = await client.EndOfAsync(PeerClient.Post(server.Uri));

        return $"{WritePoints.Count(handler.Attempts, "attempt")}, {end}";
    }

    private static async Task<string> RequestsAndEndAsync(PeerClient client, FaultServer server)
    {
        string end = await client.EndOfAsync(PeerClient.Get(server.Uri));
        return $"{WritePoints.Count(server.RequestCount, "request")}, {end}";
    }

    /// <summary>Gives up each attempt by a timer of its own.</summary>
    private sealed class StoppingHandler : DelegatingHandler
    {
        internal int Attempts { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Attempts++;
            using var own = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            own.CancelAfter(TimeSpan.FromMilliseconds(100));
            return await base.SendAsync(request, own.Token);
        }
    }

    /// <summary>Measures the time from the end of an attempt to the start of the next.</summary>
    private sealed class WaitHandler(List<TimeSpan> waits) : DelegatingHandler
    {
        private long _ended;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (_ended != 0)
                waits.Add(Stopwatch.GetElapsedTime(_ended));
            var response = await base.SendAsync(request, cancellationToken);
            _ended = Stopwatch.GetTimestamp();
            return response;
        }
    }
}
