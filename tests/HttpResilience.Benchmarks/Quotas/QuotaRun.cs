using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>Calls that want more than the quota of a scripted API, in virtual time.</summary>
internal sealed class QuotaRun(ScriptedApi api, bool paces, int seed)
{
    internal const int Calls = 10_000;

    internal ScriptedApi Api => api;

    internal QuotaServer Server { get; private set; } = null!;

    /// <summary>From the first request to the last one.</summary>
    internal TimeSpan Length => Server.Granted[^1];

    internal int Failed { get; private set; }

    /// <summary>What was used of what the tightest limit allows in the time.</summary>
    internal double Used => Server.Limits.Max(l => l.Used / l.Allowed(Length));

    internal QuotaRun Run()
    {
        var time = new VirtualTime();
        Server = new QuotaServer(time, api, seed);
        using var clients = new SimulatedClients(time, Server);
        var client = clients.WithChain(seed, o =>
        {
            (o.Quota.Preset, o.Quota.Pace) = (api.Preset, paces);
            o.TotalRequestTimeout.Timeout = TimeSpan.FromDays(1);
            o.Retry.MaxRetryAttempts = 10;
        });
        int left = Calls;
        for (int i = 0; i < api.Workers; i++)
            time.At(TimeSpan.Zero, () => _ = WorkAsync());
        time.Run();
        return this;

        async Task WorkAsync()
        {
            while (left-- > 0)
            {
                try
                {
                    using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.example.com/v1/things/17");
                    using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).ConfigureAwait(false);
                    Failed += response.IsSuccessStatusCode ? 0 : 1;
                }
                catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
                {
                    Failed++;
                }
            }
        }
    }
}
