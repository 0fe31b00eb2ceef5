using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Simulation;

/// <summary>A client that is put to the shapes.</summary>
/// <param name="Name">The name in the table.</param>
/// <param name="Create">Makes one client, with a seed for its jitter, that notes the trips of its circuit.</param>
internal sealed record ShapeClient(string Name, Func<SimulatedClients, VirtualTime, int, TripCounter, Func<Task<bool>>> Create)
{
    private static readonly TimeSpan DefaultTimeoutOfHttpClient = TimeSpan.FromSeconds(100);

    internal static ShapeClient Naive { get; } = new("three retries at once", (clients, time, _, _) => Retrying(clients.Bare(), time));

    internal static ShapeClient BudgetOnly { get; } =
        Chain("ours, no circuit", options => options.CircuitBreaker.BreakDuration = null);

    internal static ShapeClient Classic { get; } = Chain("ours, classic circuit", options =>
    {
        var circuit = options.CircuitBreaker;
        (circuit.MaxWait, circuit.FailureDuration, circuit.FailureRatio) = (null, null, 0.1);
        (circuit.BreakDuration, circuit.MaxBreakDuration) = (TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5));
    });

    internal static ShapeClient Ours { get; } = Chain("ours, as it comes", configure: null);

    internal static ShapeClient Microsoft { get; } = new("Microsoft's standard handler",
        (clients, _, seed, trips) => Sending(clients.WithStandardHandler(seed, new StandardHandlerTrips(trips))));

    internal static IReadOnlyList<ShapeClient> All { get; } = [Naive, BudgetOnly, Classic, Microsoft, Ours];

    /// <summary>Circuits that open in part, in place of the chain's own.</summary>
    internal static IReadOnlyList<ShapeClient> Adaptive { get; } =
    [
        InPart("ours, throttling by successes", (time, seed) => new ThrottlingHandler(time, seed)),
        InPart("ours, controlled rejection", (time, seed) => new ControllerHandler(time, seed)),
    ];

    private static ShapeClient InPart(string name, Func<TimeProvider, int, DelegatingHandler> handler) => new(name,
        (clients, time, seed, _) => Sending(clients.WithChain(
            seed, options => options.CircuitBreaker.BreakDuration = null, build: client => client.AddHttpMessageHandler(
                () => handler(time, seed)))));

    /// <param name="name">The name in the table.</param>
    /// <param name="configure">Null for the built-in defaults.</param>
    private static ShapeClient Chain(string name, Action<HttpResilienceOptions>? configure) => new(name, (clients, _, seed, trips) =>
        Sending(clients.WithChain(seed, configure, services => services.AddSingleton<CallObserver>(new ChainTrips(trips)))));

    private static Func<Task<bool>> Sending(HttpClient client) => async () =>
    {
        using var request = NewRequest();
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).ConfigureAwait(false);
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException || StandardHandler.IsRejection(e))
        {
            return false;
        }
    };

    private static Func<Task<bool>> Retrying(HttpClient client, VirtualTime time) => async () =>
    {
        for (int attempt = 0; attempt <= 3; attempt++)
        {
            using var timeout = new CancellationTokenSource(DefaultTimeoutOfHttpClient, time);
            using var request = NewRequest();
            try
            {
                using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token)
                    .ConfigureAwait(false);
                if (response.StatusCode < HttpStatusCode.InternalServerError)
                    return response.IsSuccessStatusCode;
            }
            catch (TaskCanceledException)
            {
                // The next attempt starts immediately.
            }
        }

        return false;
    };

    private static HttpRequestMessage NewRequest() => new(HttpMethod.Get, "https://api.example.com/v1/invoices/17");
}
