using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Simulation;

/// <summary>One day of a payment gateway, with the same faults for each client.</summary>
internal static class Drill
{
    private static readonly TimeSpan DefaultTimeoutOfHttpClient = TimeSpan.FromSeconds(100);
    private static readonly Uri[] Uris =
        [.. Enumerable.Range(1, FaultPlan.Apis).Select(n => new Uri($"https://api{n}.example.com/v1/payments"))];

    /// <summary>Naive retries around a plain factory client.</summary>
    internal static DrillResult RunNaive(int seed) => Run(seed, (time, clients, services) =>
    {
        var client = clients.Bare(services);
        return async payment =>
        {
            for (int attempt = 0; attempt <= 3; attempt++)
            {
                using var timeout = new CancellationTokenSource(DefaultTimeoutOfHttpClient, time);
                using var request = NewRequest(payment);
                try
                {
                    using var response = await client.SendAsync(
                        request, HttpCompletionOption.ResponseHeadersRead, timeout.Token).ConfigureAwait(false);
                    if (response.StatusCode < HttpStatusCode.InternalServerError)
                        return response.IsSuccessStatusCode;
                }
                catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
                {
                    // The next attempt starts immediately.
                }
            }

            return false;
        };
    });

    /// <summary>The chain.</summary>
    /// <param name="configure">Null for the built-in defaults.</param>
    internal static DrillResult RunChain(int seed, Action<HttpResilienceOptions>? configure) => Run(seed, (_, clients, services) =>
    {
        var client = clients.WithChain(seed, configure, services);
        return async payment =>
        {
            using var request = NewRequest(payment);
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

    private static DrillResult Run(
        int seed, Func<VirtualTime, SimulatedClients, Action<IServiceCollection>, Func<Payment, Task<bool>>> newClient)
    {
        var time = new VirtualTime();
        var plan = new FaultPlan(seed);
        var result = new DrillResult();
        using var log = new LineCounter();
        using var host = new SimulatedHost(time, request =>
        {
            result.Requests++;
            return plan.Answer(
                request.Options.TryGetValue(Payment.Key, out var payment) ? payment : throw new InvalidOperationException("Not a payment."),
                time.Elapsed);
        });
        using var clients = new SimulatedClients(time, host);
        var payAsync = newClient(time, clients, services => services.AddLogging(logging => logging.AddProvider(log)));
        var gateway = new PaymentGateway(time, result, async payment =>
        {
            bool isConfirmed = await payAsync(payment).ConfigureAwait(false);
            // The application logs one line per payment with each client.
            if (!isConfirmed)
                log.Count();
            return isConfirmed;
        });
        gateway.Open(seed);
        time.Run();
        result.LogLines = log.Lines;
        return result;
    }

    private static HttpRequestMessage NewRequest(Payment payment)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Uris[payment.Api]) { Content = new ByteArrayContent([]) };
        request.Options.Set(Payment.Key, payment);
        return request;
    }
}
