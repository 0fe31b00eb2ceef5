using HttpResilience.Tests.Http;
using Microsoft.Extensions.DependencyInjection;
using Refit;

namespace HttpResilience.Peers;

/// <summary>Points about writes: how often they are sent, and with which body.</summary>
internal static class WritePoints
{
    internal static async Task<Seen> UnkeyedPost(Peer peer)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(503));
        await using var client = new PeerClient(peer);

        await client.EndOfAsync(PeerClient.Post(server.Uri));

        return Count(server.RequestCount, "request");
    }

    internal static async Task<Seen> KeyedPost(Peer peer)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(503));
        await using var client = new PeerClient(peer, new() { MakesKeys = true });

        await client.EndOfAsync(PeerClient.Post(server.Uri));

        int keys = server.Requests.Select(r => r.IdempotencyKey).OfType<string>().Distinct().Count();
        return $"{Count(server.RequestCount, "request")}, {Count(keys, "key")}";
    }

    internal static async Task<Seen> OneWayBody(Peer peer)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(503).Status(200));
        await using var client = new PeerClient(peer, new() { MakesKeys = true });

        string end = await client.EndOfAsync(PeerClient.Post(server.Uri, new StreamContent(new OneShotStream("the body"u8.ToArray()))));

        return BodiesOf(server, "the body", end);
    }

    internal static async Task<Seen> FalseSeek(Peer peer)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(200));
        await using var client = new PeerClient(peer, new() { MakesKeys = true });

        string end = await client.EndOfAsync(
            PeerClient.Post(server.Uri, new StreamContent(new FalseSeekStream("the body"u8.ToArray()))));

        return BodiesOf(server, "the body", end);
    }

    internal static async Task<Seen> Refit(Peer peer)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(503).Status(200));
        await using var client = new PeerClient(
            peer, new() { MakesKeys = true }, builder => builder.ConfigureHttpClient(c => c.BaseAddress = server.Uri));

        var api = RestService.For<IInvoiceApi>(client.Client);
        using var response = await api.PostAsync(new(7, "comp1")).WaitAsync(PeerClient.Hang);

        string end = response.StatusCode is { } status ? $"{(int)status}" : response.Error!.GetType().Name;
        return BodiesOf(server, """{"number":7,"tenant":"comp1"}""", end);
    }

    internal static Task<Seen> LimitedRedirect(Peer peer) => Redirect(peer, _ => Outcome.Status(429));

    internal static Task<Seen> RefusedRedirect(Peer peer) => Redirect(peer, target: null);

    /// <summary>A POST that is answered with 303; its target answers the GET, or refuses the connection.</summary>
    private static async Task<Seen> Redirect(Peer peer, Func<SentRequest, Outcome>? target)
    {
        string location = "/target";
        await using var server = await FaultServer.StartAsync(new FaultScript().Decide(request =>
            request.Method == HttpMethod.Post ? Outcome.Status(303, headers: ("Location", location)) : target!(request)));
        if (target is null)
        {
            var other = await FaultServer.StartAsync(new FaultScript());
            location = new Uri(other.Uri, "/target").ToString();
            await other.DisposeAsync();
        }

        await using var client = new PeerClient(peer, new() { RepeatsUnsafe = false });

        await client.EndOfAsync(PeerClient.Post(server.Uri));

        return Count(server.Requests.Count(r => r.Method == HttpMethod.Post), "POST");
    }

    private static string BodiesOf(FaultServer server, string expected, string end)
    {
        string same = server.Requests.All(r => r.Text == expected) ? "same body" : "another body";
        return server.RequestCount == 0 ? $"0 requests, {end}" : $"{Count(server.RequestCount, "request")}, {same}, {end}";
    }

    internal static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";
}

/// <summary>An API as Refit declares one.</summary>
internal interface IInvoiceApi
{
    [Post("/invoices")]
    Task<IApiResponse> PostAsync([Body] Invoice invoice);
}

internal sealed record Invoice(int Number, string Tenant);
