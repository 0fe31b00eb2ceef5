using System.Collections.Concurrent;
using System.Globalization;
using System.Net;

namespace InvoiceSender;

/// <summary>An invoicing API on a bad day: a real server on a free loopback port.</summary>
internal sealed class FlakyApi : IAsyncDisposable
{
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan StallDuration = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan OutageLatency = TimeSpan.FromMilliseconds(250);

    private readonly FaultPlan _plan;
    private readonly Outage _outage;
    private readonly TimeProvider _time;
    private readonly WebApplication _server;
    private readonly Ledger _ledger = new();
    private readonly ConcurrentDictionary<(string Company, string Number), int> _sightings = [];
    private readonly ConcurrentDictionary<Fault, int> _faults = [];
    private int _requests;
    private int _requestsDuringOutage;

    private FlakyApi(int seed, int expectedInvoices, TimeProvider time)
    {
        _plan = new(seed);
        _outage = new(expectedInvoices, time);
        _time = time;

        // Empty: no environment variable or settings file of the machine may move the server off the loopback.
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        _server = builder.Build();
        _server.Run(HandleAsync);
    }

    public Uri Address => new($"{_server.Urls.First()}/");
    public int Requests => Volatile.Read(ref _requests);
    public int RequestsDuringOutage => Volatile.Read(ref _requestsDuringOutage);
    public IReadOnlyDictionary<(string Company, string Number), int> Stored => _ledger.Stored();
    public IReadOnlyDictionary<Fault, int> Faults => _faults;

    public static async Task<FlakyApi> StartAsync(int seed, int expectedInvoices, CancellationToken cancellationToken)
    {
        var api = new FlakyApi(seed, expectedInvoices, TimeProvider.System);
        await api._server.StartAsync(cancellationToken);
        return api;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task HandleAsync(HttpContext context)
    {
        if (context.Request is not { Method: "POST", Path.Value: "/invoices" })
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        Interlocked.Increment(ref _requests);
        if (await context.Request.ReadFromJsonAsync(InvoiceJson.Default.Invoice, context.RequestAborted) is not { } invoice)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        _sightings.TryAdd(invoice.Id, 0);
        if (_outage.IsOngoing(_sightings.Count))
        {
            Interlocked.Increment(ref _requestsDuringOutage);
            await DelayAsync(OutageLatency, context);
            context.Abort();
            return;
        }

        var timesSeen = _sightings.AddOrUpdate(invoice.Id, 1, static (_, times) => times + 1) - 1;
        await DelayAsync(Latency, context);
        await RespondAsync(context, invoice, _plan[invoice.InvoiceNumber, timesSeen]);
    }

    private async Task RespondAsync(HttpContext context, Invoice invoice, Fault fault)
    {
        if (fault is not Fault.None) _faults.AddOrUpdate(fault, 1, static (_, times) => times + 1);

        switch (fault)
        {
            case Fault.Unavailable or Fault.UnavailableWithRetryAfter:
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                if (fault is Fault.UnavailableWithRetryAfter) context.Response.Headers.RetryAfter = "1";
                break;

            case Fault.RateLimitedForSeconds:
                context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
                context.Response.Headers.RetryAfter = "1";
                break;

            case Fault.RateLimitedUntilDate:
                var now = _time.GetUtcNow();
                context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
                context.Response.Headers.Date = now.ToString("R", CultureInfo.InvariantCulture);
                context.Response.Headers.RetryAfter = now.AddSeconds(1).ToString("R", CultureInfo.InvariantCulture);
                break;

            case Fault.InternalServerError:
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                break;

            case Fault.CutBeforeProcessing:
                context.Abort();
                break;

            case Fault.StallBeforeProcessing:
                await DelayAsync(StallDuration, context);
                context.Abort();
                break;

            case Fault.CutAfterProcessing:
                Process(context, invoice);
                context.Abort();
                break;

            case Fault.StallAfterProcessing:
                Process(context, invoice);
                await DelayAsync(StallDuration, context);
                context.Abort();
                break;

            default:
                await AnswerAsync(context, Process(context, invoice));
                break;
        }
    }

    private Ledger.Answer Process(HttpContext context, Invoice invoice) =>
        _ledger.Process(invoice, context.Request.Headers["Idempotency-Key"]);

    private static Task AnswerAsync(HttpContext context, Ledger.Answer answer)
    {
        context.Response.StatusCode = answer.Problem is null ? StatusCodes.Status201Created : StatusCodes.Status422UnprocessableEntity;
        return answer.Problem is null
            ? context.Response.WriteAsJsonAsync(answer.Receipt!, InvoiceJson.Default.Receipt, contentType: null, context.RequestAborted)
            : context.Response.WriteAsJsonAsync(answer.Problem, InvoiceJson.Default.Problem, Problem.ContentType, context.RequestAborted);
    }

    // A client that gives up ends the wait: a stalled server would not keep it either.
    private async Task DelayAsync(TimeSpan delay, HttpContext context) =>
        await Task.Delay(delay, _time, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>Ctrl+C is the command's: the API stays up until the batch has ended.</summary>
    private sealed class SilentLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
