using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Simulation;

/// <summary>One day of a payment gateway, with the same faults for each client.</summary>
internal sealed class Drill : IDisposable
{
    private const string NumberHeader = "Payment-Number";

    private static readonly TimeSpan DefaultTimeoutOfHttpClient = TimeSpan.FromSeconds(100);

    /// <summary>The last letters have time to be replayed.</summary>
    private static readonly TimeSpan UntilReplayed = FaultPlan.Day + TimeSpan.FromHours(2);

    private static readonly AsyncLocal<Payment?> Current = new();
    private static readonly Uri[] Uris =
        [.. Enumerable.Range(1, FaultPlan.Apis).Select(n => new Uri($"https://api{n}.example.com/v1/payments"))];

    private readonly VirtualTime _time = new();
    private readonly DrillResult _result = new();
    private readonly LineCounter _log = new(() => _ = Current.Value is { } payment ? payment.LogLines++ : 0);
    private readonly FaultPlan _plan;
    private readonly int _seed;

    // With dead letters: the payments that were not confirmed yet, by number.
    private readonly Dictionary<string, Payment>? _open;

    private Drill(int seed, bool hasLetters)
    {
        (_seed, _plan) = (seed, new(seed));
        _open = hasLetters ? [] : null;
    }

    /// <summary>Naive retries around a plain factory client.</summary>
    internal static DrillResult RunNaive(int seed) => Run(seed, (drill, clients) =>
    {
        var client = clients.Bare(drill.AddLog);
        return async payment =>
        {
            for (int attempt = 0; attempt <= 3; attempt++)
            {
                using var timeout = new CancellationTokenSource(DefaultTimeoutOfHttpClient, drill._time);
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

    /// <summary>Microsoft's standard handler as it comes.</summary>
    internal static DrillResult RunStandardHandler(int seed) => Run(
        seed, (drill, clients) => Sending(clients.WithStandardHandler(seed, add: drill.AddLog), NewRequest));

    /// <summary>The chain.</summary>
    /// <param name="seed">The seed of the day.</param>
    /// <param name="configure">Null for the built-in defaults.</param>
    internal static DrillResult RunChain(int seed, Action<HttpResilienceOptions>? configure) => Run(
        seed, (drill, clients) => Sending(clients.WithChain(seed, configure, drill.AddLog), NewRequest));

    /// <summary>The chain as it comes, with dead letters in memory and their replay.</summary>
    internal static DrillResult RunWithLetters(int seed)
    {
        using var drill = new Drill(seed, hasLetters: true);
        using var host = drill.NewHost();
        using var clients = new SimulatedClients(drill._time, host);
        using var storage = new InMemoryStorage(drill._time) { Intercept = drill.LookOnceASecondAsync };
        drill._time.RunOnPool(() =>
        {
            var client = clients.WithChain(
                seed,
                options =>
                {
                    options.DeadLetter.Enabled = true;
                    options.DeadLetter.AllowedAuthorities = [.. Uris.Select(u => u.GetLeftPart(UriPartial.Authority))];
                },
                services =>
                {
                    drill.AddLog(services);
                    services.AddHttpResilienceStorage(s => s.UseInMemory(storage)).AddDeadLetterReplay();
                });
            clients.StartAsync().GetAwaiter().GetResult();
            drill.Open(Sending(client, payment =>
            {
                var request = NewRequest(payment);
                string number = payment.Number.ToString(CultureInfo.InvariantCulture);
                request.Headers.Add(NumberHeader, number);
                drill._open!.TryAdd(number, payment);
                return request;
            }));
        }, UntilReplayed);
        return drill.Ended();
    }

    public void Dispose() => _log.Dispose();

    private static DrillResult Run(int seed, Func<Drill, SimulatedClients, Func<Payment, Task<bool>>> newClient)
    {
        using var drill = new Drill(seed, hasLetters: false);
        using var host = drill.NewHost();
        using var clients = new SimulatedClients(drill._time, host);
        drill.Open(newClient(drill, clients));
        drill._time.Run();
        return drill.Ended();
    }

    private static Func<Payment, Task<bool>> Sending(HttpClient client, Func<Payment, HttpRequestMessage> newRequest) => async payment =>
    {
        using var request = newRequest(payment);
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

    // A claim reads every letter of a store in memory: it is not made for each letter that arrives.
    private async Task LookOnceASecondAsync(InMemoryOperation operation, Func<Task> run)
    {
        if (operation.Method == nameof(IDeadLetterStore.WaitForLettersAsync))
            await Task.Delay(TimeSpan.FromSeconds(1), _time, operation.CancellationToken).ConfigureAwait(false);
        await run().ConfigureAwait(false);
    }

    private void AddLog(IServiceCollection services) => services.AddLogging(logging => logging.AddProvider(_log));

    private SimulatedHost NewHost() => new(_time, request =>
    {
        _result.Requests++;
        if (request.Options.TryGetValue(Payment.Key, out var payment))
            return _plan.Answer(payment, _time.Elapsed);

        // Of a replay.
        string number = request.Headers.GetValues(NumberHeader).Single();
        if (!_open!.TryGetValue(number, out var kept))
            return new(HttpStatusCode.Created, TimeSpan.FromMilliseconds(FaultPlan.MedianMs));
        var answer = _plan.Answer(kept, _time.Elapsed);
        if (answer.Status is HttpStatusCode.Created)
        {
            _open.Remove(number);
            _result.ConfirmedLater++;
        }

        return answer;
    });

    private void Open(Func<Payment, Task<bool>> payAsync) => new PaymentGateway(_time, _result, async payment =>
    {
        Current.Value = payment;
        bool isConfirmed = await payAsync(payment).ConfigureAwait(false);
        Current.Value = null;
        _result.CountLines(payment, isConfirmed);
        // The application logs one line per payment with each client.
        if (!isConfirmed)
            _log.Count();
        else
            _open?.Remove(payment.Number.ToString(CultureInfo.InvariantCulture));
        return isConfirmed;
    }).Open(_seed);

    private DrillResult Ended()
    {
        _result.LogLines = _log.Lines;
        return _result;
    }

    private static HttpRequestMessage NewRequest(Payment payment)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Uris[payment.Api]) { Content = new ByteArrayContent([]) };
        request.Options.Set(Payment.Key, payment);
        return request;
    }
}
