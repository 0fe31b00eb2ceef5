using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Benchmarks;

/// <summary>
/// <c>fallback</c>: reads while the API answers 503, resets connections and refuses them, 20 s each, over real sockets and in virtual time.
/// </summary>
internal static class FallbackCommand
{
    private const int Keys = 200;

    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan BetweenReads = TimeSpan.FromMilliseconds(20);

    internal static async Task<int> RunAsync(CommandOptions options)
    {
        var bare = await RunAsync(options.Seed, services => services.AddHttpClient("api")).ConfigureAwait(false);
        var chain = await RunAsync(
            options.Seed, services => services.AddResilientHttpClient("api", o => o.Fallback.Enabled = true)).ConfigureAwait(false);

        Console.WriteLine(Text($"seed {options.Seed}: {Keys} cached resources, an API that is down for {Outage.TotalSeconds} s"));
        Console.WriteLine();
        Console.WriteLine("| | bare HttpClient | Fallback | aim |");
        Console.WriteLine("|---|--:|--:|--:|");
        Row("reads during the outage", r => Text($"{r.Reads:N0}"), "");
        Row("answered", r => Text($"{r.Share:0.0 %}"), "≥ 99 %");
        Row("requests sent to the API", r => Text($"{r.Attempts:N0}"), "");
        Row("time of a read, p50 / p99", r => Text($"{r.P50:0.00} / {r.P99:0.00} ms"), "");
        return chain.Share >= 0.99 && bare.Share == 0 ? 0 : 1;

        void Row(string name, Func<Report, string> value, string aim) =>
            Console.WriteLine($"| {name} | {value(bare)} | {value(chain)} | {aim} |");
    }

    private static async Task<Report> RunAsync(int seed, Func<IServiceCollection, IHttpClientBuilder> add)
    {
        // The server's Date header comes from the system clock.
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow) { SkipsWaits = true };
        bool isDown = false;
        var script = new FaultScript().Decide(_ =>
            !isDown ? Outcome.Status(200, new string('x', 1000)) : clock.Elapsed < Outage / 3 ? Outcome.Status(503, "") : Outcome.Reset());
        var server = await FaultServer.StartAsync(script).ConfigureAwait(false);
        await using var serverScope = server.ConfigureAwait(false);
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(clock);
        var counter = new Counter();
        add(services).ConfigureHttpClient(c => c.BaseAddress = server.Uri).AddHttpMessageHandler(() => new Counting(counter));
        var provider = services.BuildServiceProvider();
        await using var providerScope = provider.ConfigureAwait(false);
        var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("api");
        for (int i = 0; i < Keys; i++)
            await client.GetStringAsync(Resource(i)).ConfigureAwait(false);

        isDown = true;
        counter.Count = 0;
        var random = new Random(seed);
        List<double> times = [];
        int answered = 0;
        bool isGone = false;
        // Virtual time starts here: nothing has waited so far.
        for (; clock.Elapsed < Outage; clock.Advance(BetweenReads))
        {
            if (!isGone && clock.Elapsed >= Outage * 2 / 3)
            {
                await server.GoDownAsync().ConfigureAwait(false);
                isGone = true;
            }

            long began = Stopwatch.GetTimestamp();
            if (await ReadAsync(client, Resource(random.Next(Keys))).ConfigureAwait(false))
                answered++;
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        times.Sort();
        return new(times.Count, answered, counter.Count, times[times.Count / 2], times[times.Count * 99 / 100]);
    }

    private static async Task<bool> ReadAsync(HttpClient client, string resource)
    {
        try
        {
            return (await client.GetStringAsync(resource).ConfigureAwait(false)).Length == 1000;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static string Resource(int i) => Text($"customers/{i}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record Report(int Reads, int Answered, int Attempts, double P50, double P99)
    {
        internal double Share => (double)Answered / Reads;
    }

    private sealed class Counter
    {
        internal int Count { get; set; }
    }

    private sealed class Counting(Counter counter) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            counter.Count++;
            return base.SendAsync(request, cancellationToken);
        }
    }
}
