using System.Collections.Concurrent;
using System.Text.Json;
using HttpResilience.Testing;

namespace InvoiceSender;

/// <summary>An unreliable invoicing API: a real server on a free loopback port that injects faults.</summary>
internal sealed class FlakyApi : IAsyncDisposable
{
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan OutageLatency = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly FaultPlan? _plan;
    private readonly Outage? _outage;
    private readonly TimeSpan _stall;
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly Ledger _ledger;
    private readonly LedgerFile? _file;
    private readonly ConcurrentDictionary<(string Company, string Number), int> _sightings = [];
    private readonly ConcurrentDictionary<Fault, int> _faults = [];
    private FaultServer? _server;
    private int _requestsDuringOutage;

    private FlakyApi(FaultPlan? plan, Outage? outage, TimeSpan stall, Ledger ledger, LedgerFile? file)
    {
        _plan = plan;
        _outage = outage;
        _stall = stall;
        _ledger = ledger;
        _file = file;
    }

    public Uri Address => _server!.Uri;
    public int Requests => _server!.RequestCount;
    public int RequestsDuringOutage => Volatile.Read(ref _requestsDuringOutage);
    public IReadOnlyDictionary<(string Company, string Number), int> Stored => _ledger.Stored();
    public IReadOnlyDictionary<Fault, int> Faults => _faults;

    /// <summary>Starts an API with every kind of fault and an outage that begins once half of the invoices have been seen.</summary>
    public static Task<FlakyApi> StartAsync(int seed, int expectedInvoices, ComparisonSize size, CancellationToken cancellationToken) =>
        new FlakyApi(new(seed), new Outage(expectedInvoices, size.Outage, TimeProvider.System), size.Stall, new(), null)
            .ListenAsync(0, cancellationToken);

    /// <summary>
    /// Starts an API whose ledger file lies beside the dead-letter store and whose address stays the same, because the letters are
    /// addressed to it. It injects every kind of fault and rejects some invoices on every attempt; without a seed it injects none.
    /// </summary>
    public static async Task<FlakyApi> StartAsync(int? seed, string store, CancellationToken cancellationToken)
    {
        // Below the ephemeral ports of the system, so that the port is still free in a later run.
        var file = LedgerFile.Open(store, port: Random.Shared.Next(20_000, 32_000));
        try
        {
            var plan = seed is { } number ? new FaultPlan(number, rejectsReceivers: true) : null;
            return await new FlakyApi(plan, null, ComparisonSize.Full.Stall, new(file), file).ListenAsync(file.Port, cancellationToken);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private async Task<FlakyApi> ListenAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            _server = await FaultServer.StartAsync(
                new FaultScript(_time).Decide(Decide), new() { KeepsConnections = true, Port = port }, cancellationToken);
            return this;
        }
        catch (IOException exception)
        {
            throw new CommandException(
                $"The sample's own API cannot listen on port {port}, to which the dead letters are addressed: {exception.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _file?.Dispose();
    }

    private Outcome Decide(SentRequest request)
    {
        if (request is not { Method.Method: "POST", Uri.AbsolutePath: "/invoices" }) return Outcome.Status(StatusCodes.Status404NotFound);
        if (Read(request) is not { } invoice)
            return Refusal(new() { Title = "The body is not an invoice", Status = StatusCodes.Status400BadRequest });

        _sightings.TryAdd(invoice.Id, 0);
        if (_outage?.IsOngoing(_sightings.Count) is true)
        {
            Interlocked.Increment(ref _requestsDuringOutage);
            return Outcome.Reset().Delayed(OutageLatency);
        }

        var timesSeen = _sightings.AddOrUpdate(invoice.Id, 1, static (_, times) => times + 1) - 1;
        var fault = _plan?[invoice.InvoiceNumber, timesSeen] ?? Fault.None;
        if (fault is not Fault.None) _faults.AddOrUpdate(fault, 1, static (_, times) => times + 1);
        return Outcome.Decide(_ => Play(fault, invoice, () => _ledger.Process(invoice, request.IdempotencyKey))).Delayed(Latency);
    }

    private static Invoice? Read(SentRequest request)
    {
        try
        {
            return JsonSerializer.Deserialize(request.Body.Span, InvoiceJson.Default.Invoice);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private Outcome Play(Fault fault, Invoice invoice, Func<Ledger.Answer> process)
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
                return Outcome.Reset().Delayed(_stall);

            case Fault.CutAfterProcessing:
                process();
                return Outcome.Reset();

            case Fault.StallAfterProcessing:
                process();
                return Outcome.Reset().Delayed(_stall);

            case Fault.ReceiverQuotaExceeded:
                return Refusal(new()
                {
                    Title = "The receiver accepts no more invoices now",
                    Status = StatusCodes.Status429TooManyRequests,
                    Detail = $"{invoice.ReceiverName} has too many unread invoices.",
                });

            default:
                return Answer(process());
        }
    }

    private static Outcome Answer(Ledger.Answer answer) => answer.Problem is { } problem
        ? Refusal(problem)
        : Outcome.Json(StatusCodes.Status201Created, JsonSerializer.Serialize(answer.Receipt!, InvoiceJson.Default.Receipt));

    private static Outcome Refusal(Problem problem) =>
        Outcome.Json(
            problem.Status!.Value, JsonSerializer.Serialize(problem, InvoiceJson.Default.Problem), ("Content-Type", Problem.ContentType));
}
