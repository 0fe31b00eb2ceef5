using System.Net;

namespace HttpResilience.Simulation;

/// <summary>
/// Many clients, each with its own state as in separate processes, call one host at a constant rate, whether earlier calls succeeded or
/// not. The host fails for a while, and its requests per second are counted.
/// </summary>
internal sealed record OutageSimulation
{
    internal int Seed { get; init; } = 1;

    internal int Clients { get; init; } = 100;

    /// <summary>Calls per second of each client, at random times.</summary>
    internal double CallRate { get; init; } = 10;

    internal TimeSpan OutageFrom { get; init; } = TimeSpan.FromSeconds(20);

    internal TimeSpan OutageLength { get; init; } = TimeSpan.FromSeconds(30);

    internal TimeSpan Length { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>The response of the host during the outage.</summary>
    internal Answer WhileDown { get; init; } = new(HttpStatusCode.ServiceUnavailable, TimeSpan.FromMilliseconds(10));

    internal TimeSpan OutageEnd => OutageFrom + OutageLength;

    /// <summary>Requests per second when nothing fails.</summary>
    internal double NormalLoad => Clients * CallRate;

    /// <summary>Naive retries: on any failure up to three immediate retries.</summary>
    internal OutageResult RunNaive() => Run((clients, _) =>
    {
        var client = clients.Bare();
        return async () =>
        {
            for (int attempt = 0; attempt <= 3; attempt++)
            {
                using var request = NewRequest();
                using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).ConfigureAwait(false);
                if (response.IsSuccessStatusCode)
                    return true;
            }

            return false;
        };
    });

    /// <summary>The chain.</summary>
    /// <param name="configure">Null for the built-in defaults.</param>
    internal OutageResult RunChain(Action<HttpResilienceOptions>? configure = null) => Run((clients, seed) =>
    {
        var client = clients.WithChain(seed, configure);
        return async () =>
        {
            using var request = NewRequest();
            try
            {
                using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).ConfigureAwait(false);
                return response.IsSuccessStatusCode;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                return false;
            }
        };
    });

    private OutageResult Run(Func<SimulatedClients, int, Func<Task<bool>>> newClient)
    {
        var time = new VirtualTime();
        var result = new OutageResult(this);
        var latency = new Random(Seed);
        using var host = new SimulatedHost(time, _ =>
        {
            result.CountRequest(time.Elapsed);
            bool isDown = time.Elapsed >= OutageFrom && time.Elapsed < OutageEnd;
            return isDown ? WhileDown : new(HttpStatusCode.OK, TimeSpan.FromMilliseconds(latency.Next(20, 80)));
        });
        using var clients = new SimulatedClients(time, host);
        for (int i = 0; i < Clients; i++)
        {
            int seed = Seed * 1000 + i;
            BeginCalls(time, newClient(clients, seed), new Random(seed), result);
        }

        time.Run();
        return result;
    }

    private void BeginCalls(VirtualTime time, Func<Task<bool>> callAsync, Random random, OutageResult result)
    {
        void Next()
        {
            TimeSpan at = time.Elapsed + TimeSpan.FromSeconds(-Math.Log(1 - random.NextDouble()) / CallRate);
            if (at >= Length)
                return;
            time.At(at, () =>
            {
                result.CountCall(time.Elapsed, callAsync());
                Next();
            });
        }

        Next();
    }

    private static HttpRequestMessage NewRequest() => new(HttpMethod.Get, "https://api.example.com/v1/invoices/17");
}
