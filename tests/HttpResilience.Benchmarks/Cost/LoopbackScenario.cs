using System.Diagnostics;

namespace HttpResilience.Benchmarks;

/// <summary>Calls over kept connections to a server in another process: CPU time and bytes of this process, on all its threads.</summary>
/// <remarks>
/// Several are in flight, so that threads seldom sleep: how often they are woken depends on what else the machine does.
/// </remarks>
internal sealed class LoopbackScenario() : CostScenario("loopback GET, client's CPU")
{
    private const int Calls = 2048;
    private const int InFlight = 32;

    internal override CostUnit Unit => CostUnit.Percent;

    internal override CostRow Measure(int rounds)
    {
        using var server = StartServer();
        var uri = new Uri(server.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The server did not start."));
        using var clients = new Clients(() => new SocketsHttpHandler { UseProxy = false, UseCookies = false }, new());
        var row = new CostRow(this, CostRounds.Measure(
            Enum.GetValues<CostPeer>().ToDictionary(peer => peer, peer => Block(clients.Create(peer), uri)), rounds));
        server.StandardInput.Close();
        server.WaitForExit();
        return row;
    }

    /// <summary>The command <c>cost-server</c> of the other process: a server that answers 200 until its input ends.</summary>
    internal static async Task<int> ServeAsync()
    {
        await using var server = await FaultServer.StartAsync(
            new FaultScript(keepsRequests: false).Decide(_ => Outcome.Status(200)), new() { KeepsConnections = true });
        Console.WriteLine(server.Uri);
        await Console.In.ReadToEndAsync();
        return 0;
    }

    private static Process StartServer() =>
        Process.Start(new ProcessStartInfo(Environment.ProcessPath!, "cost-server")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;

    private static Func<Cost> Block(HttpClient client, Uri uri) => () =>
    {
        long bytes = GC.GetTotalAllocatedBytes(precise: true);
        var began = Environment.CpuUsage.TotalTime;
        Task.WhenAll(Enumerable.Range(0, InFlight).Select(_ => Task.Run(() => CallAsync(client, uri)))).GetAwaiter().GetResult();
        var spent = Environment.CpuUsage.TotalTime - began;
        return new(spent.TotalNanoseconds / Calls, (double)(GC.GetTotalAllocatedBytes(precise: true) - bytes) / Calls);
    };

    private static async Task CallAsync(HttpClient client, Uri uri)
    {
        for (int i = 0; i < Calls / InFlight; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, uri);
            using var response = await client.SendAsync(request).ConfigureAwait(false);
            response.EnsureSuccessStatusCode();
        }
    }
}
