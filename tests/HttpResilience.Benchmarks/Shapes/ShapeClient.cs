using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Simulation;

/// <summary>A client that is put to the shapes.</summary>
/// <param name="Name">The name in the table.</param>
/// <param name="Color">The color in plots.</param>
/// <param name="Create">Makes one client.</param>
internal sealed record ShapeClient(string Name, string Color, CreateClient Create)
{
    private const string Orange = "#c2410c", Violet = "#7c3aed", Green = "#0f766e", Blue = "#1d4ed8", Gray = "#4b5563";

    private static readonly TimeSpan DefaultTimeoutOfHttpClient = TimeSpan.FromSeconds(100);

    internal static ShapeClient Naive { get; } =
        new("three retries at once", Orange, (clients, time, _, _) => Retrying(clients.Bare(), time));

    internal static ShapeClient BudgetOnly { get; } =
        Chain("ours, no circuit", Gray, options => options.CircuitBreaker.BreakDuration = null);

    internal static ShapeClient Classic { get; } = Chain("ours, classic circuit", Violet, options =>
    {
        var circuit = options.CircuitBreaker;
        (circuit.MaxWait, circuit.FailureDuration, circuit.FailureRatio) = (null, null, 0.1);
        (circuit.BreakDuration, circuit.MaxBreakDuration) = (TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5));
    });

    internal static ShapeClient Ours { get; } = Chain("ours, as it comes", Blue, configure: null);

    internal static ShapeClient Microsoft { get; } = new("Microsoft's standard handler", Green,
        (clients, _, seed, trips) => Sending(clients.WithStandardHandler(seed, new PipelineTrips(trips))));

    internal static ShapeClient Polly { get; } = new("Polly alone", Violet,
        (clients, time, seed, trips) => Sending(clients.WithPolly(time, seed, new PipelineTrips(trips))));

    internal static ShapeClient Refit { get; } = new("Refit's retry handler", Orange,
        (clients, time, seed, _) => Sending(clients.WithRefit(time, seed), time));

    internal static IReadOnlyList<ShapeClient> All { get; } = [Naive, BudgetOnly, Classic, Microsoft, Polly, Refit, Ours];

    /// <summary>Other packages, and ours as it comes.</summary>
    internal static IReadOnlyList<ShapeClient> Compared { get; } = [Microsoft, Polly, Refit, Ours];

    /// <summary>Circuits that open in part, in place of the chain's own.</summary>
    internal static IReadOnlyList<ShapeClient> Adaptive { get; } =
    [
        InPart("ours, throttling by successes", (time, seed) => new ThrottlingHandler(time, seed)),
        InPart("ours, controlled rejection", (time, seed) => new ControllerHandler(time, seed)),
    ];

    internal ShapeResult Run(Shape shape, ShapeLoad load, int seed) => new ShapeRun(shape, load, seed).Run(Name, Create);

    private static ShapeClient InPart(string name, Func<TimeProvider, int, DelegatingHandler> handler) => new(name, Gray,
        (clients, time, seed, _) => Sending(clients.WithChain(
            seed, options => options.CircuitBreaker.BreakDuration = null, build: client => client.AddHttpMessageHandler(
                () => handler(time, seed)))));

    /// <param name="name">The name in the table.</param>
    /// <param name="color">The color in plots.</param>
    /// <param name="configure">Null for the built-in defaults.</param>
    private static ShapeClient Chain(string name, string color, Action<HttpResilienceOptions>? configure) =>
        new(name, color, (clients, _, seed, trips) => Sending(
            clients.WithChain(seed, configure, services => services.AddSingleton<CallObserver>(new ChainTrips(trips)))));

    /// <param name="client">The client.</param>
    /// <param name="time">The clock of the timeout of <see cref="HttpClient"/>; null for a client with a timeout of its own.</param>
    private static Func<Task<bool>> Sending(HttpClient client, VirtualTime? time = null) => async () =>
    {
        using var timeout = time is null ? null : new CancellationTokenSource(DefaultTimeoutOfHttpClient, time);
        using var request = NewRequest();
        try
        {
            using var response = await client.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, timeout?.Token ?? CancellationToken.None).ConfigureAwait(false);
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
