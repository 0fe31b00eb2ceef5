using System.Collections.Concurrent;
using System.Text.Json;
using HttpResilience.Testing;

namespace InvoiceSender;

/// <summary>An invoicing API on a bad day: a real server on a free loopback port.</summary>
internal sealed class FlakyApi : IAsyncDisposable
{
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan StallDuration = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan OutageLatency = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly FaultPlan _plan;
    private readonly Outage _outage;
    private readonly TimeProvider _time;
    private readonly Ledger _ledger = new();
    private readonly ConcurrentDictionary<(string Company, string Number), int> _sightings = [];
    private readonly ConcurrentDictionary<Fault, int> _faults = [];
    private FaultServer? _server;
    private int _requestsDuringOutage;

    private FlakyApi(int seed, int expectedInvoices, TimeProvider time)
    {
        _plan = new(seed);
        _outage = new(expectedInvoices, time);
        _time = time;
    }

    public Uri Address => _server!.Uri;
    public int Requests => _server!.RequestCount;
    public int RequestsDuringOutage => Volatile.Read(ref _requestsDuringOutage);
    public IReadOnlyDictionary<(string Company, string Number), int> Stored => _ledger.Stored();
    public IReadOnlyDictionary<Fault, int> Faults => _faults;

    public static async Task<FlakyApi> StartAsync(int seed, int expectedInvoices, CancellationToken cancellationToken)
    {
        var api = new FlakyApi(seed, expectedInvoices, TimeProvider.System);
        var script = new FaultScript(api._time).Decide(api.Decide);
        api._server = await FaultServer.StartAsync(script, new() { KeepsConnections = true }, cancellationToken);
        return api;
    }

    public ValueTask DisposeAsync() => _server!.DisposeAsync();

    private Outcome Decide(SentRequest request)
    {
        if (request is not { Method.Method: "POST", Uri.AbsolutePath: "/invoices" }) return Outcome.Status(StatusCodes.Status404NotFound);
        if (JsonSerializer.Deserialize(request.Body.Span, InvoiceJson.Default.Invoice) is not { } invoice) return Outcome.Status(StatusCodes.Status400BadRequest);

        _sightings.TryAdd(invoice.Id, 0);
        if (_outage.IsOngoing(_sightings.Count))
        {
            Interlocked.Increment(ref _requestsDuringOutage);
            return Outcome.Reset().Delayed(OutageLatency);
        }

        var timesSeen = _sightings.AddOrUpdate(invoice.Id, 1, static (_, times) => times + 1) - 1;
        var fault = _plan[invoice.InvoiceNumber, timesSeen];
        if (fault is not Fault.None) _faults.AddOrUpdate(fault, 1, static (_, times) => times + 1);
        return Outcome.Decide(_ => Play(fault, () => _ledger.Process(invoice, request.IdempotencyKey))).Delayed(Latency);
    }

    private Outcome Play(Fault fault, Func<Ledger.Answer> process)
    {
        switch (fault)
        {
            case Fault.Unavailable:
                return Outcome.Status(StatusCodes.Status503ServiceUnavailable);

            case Fault.UnavailableWithRetryAfter:
                return Outcome.Status(StatusCodes.Status503ServiceUnavailable, retryAfter: RetryAfter);

            case Fault.RateLimitedForSeconds:
                return Outcome.Status(StatusCodes.Status429TooManyRequests, retryAfter: RetryAfter);

            case Fault.RateLimitedUntilDate:
                return Outcome.Status(StatusCodes.Status429TooManyRequests, retryAfter: _time.GetUtcNow() + RetryAfter);

            case Fault.InternalServerError:
                return Outcome.Status(StatusCodes.Status500InternalServerError);

            case Fault.CutBeforeProcessing:
                return Outcome.Reset();

            case Fault.StallBeforeProcessing:
                return Outcome.Reset().Delayed(StallDuration);

            case Fault.CutAfterProcessing:
                process();
                return Outcome.Reset();

            case Fault.StallAfterProcessing:
                process();
                return Outcome.Reset().Delayed(StallDuration);

            default:
                return Answer(process());
        }
    }

    private static Outcome Answer(Ledger.Answer answer) => answer.Problem is { } problem
        ? Outcome.Json(StatusCodes.Status422UnprocessableEntity, JsonSerializer.Serialize(problem, InvoiceJson.Default.Problem), ("Content-Type", Problem.ContentType))
        : Outcome.Json(StatusCodes.Status201Created, JsonSerializer.Serialize(answer.Receipt!, InvoiceJson.Default.Receipt));
}
