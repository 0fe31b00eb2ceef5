using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics;
using HttpResilience;

namespace InvoiceSender;

/// <summary>One client in a host of its own, with a new API to send to.</summary>
internal sealed class SendingRun : IAsyncDisposable
{
    private readonly ClientKind _client;
    private readonly InvoiceKeys _keys;
    private readonly FlakyApi? _flakyApi;
    private readonly AlertDelivery? _alerts;
    private readonly Uri _address;
    private readonly IHost _host;
    private readonly LogLineCounter _logLines = new();
    private Task? _stopped;

    private SendingRun(
        ClientKind client, InvoiceKeys keys, FlakyApi? flakyApi, AlertDelivery? alerts, SenderOptions options, HostFactory createHost)
    {
        _client = client;
        _keys = keys;
        _flakyApi = flakyApi;
        _alerts = alerts;
        _address = options.Api ?? flakyApi!.Address;
        _host = createHost(client, options.Compares, _address, options.DeadLetters, sendsLetters: false, alerts, logging =>
        {
            logging.ClearProviders().AddProvider(_logLines);
            if (alerts is not null) logging.AddProvider(alerts.DeliveryFailures);
            if (options.Verbose) Terminal.AddLog(logging);
        });
    }

    public static async Task<SendingRun> StartAsync(
        ClientKind client, InvoiceKeys keys, int invoices, SenderOptions options, HostFactory createHost,
        CancellationToken cancellationToken)
    {
        var flakyApi = options.Api is not null ? null
            : options.DeadLetters is { } store ? await FlakyApi.StartAsync(options.Seed, store, cancellationToken)
            : await FlakyApi.StartAsync(options.Seed, invoices, options.Size, cancellationToken);
        var alerts = client is ClientKind.Resilient ? await AlertDelivery.OpenAsync(options, cancellationToken) : null;
        var run = new SendingRun(client, keys, flakyApi, alerts, options, createHost);
        try
        {
            await run._host.StartAsync(cancellationToken);
            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>The name of the run on the screen.</summary>
    public string Title => $"{_client.Title}, {_keys.Title}";

    public IServiceProvider Services => _host.Services;

    public InvoiceBatch Batch => Services.GetRequiredService<InvoiceBatch>();

    public FlakyApi? Api => _flakyApi;

    public RequestCounter CountRequests() => new(_address);

    /// <summary>The fraction of calls that must succeed; null for a client without an error budget.</summary>
    public double? Objective => Budget?.Objective;

    private BudgetReport? Budget => Services.GetService<IErrorBudgets>()?.List().Select(BudgetReport.Of).SingleOrDefault();

    public async Task<RunReport> SendAsync(
        IReadOnlyList<Invoice> invoices, double objective, IProgress<BatchProgress> progress, CancellationToken cancellationToken)
    {
        ConcurrentQueue<InvoiceOutcome> outcomes = [];
        using var requests = CountRequests();
        var started = Stopwatch.GetTimestamp();
        var report = await Batch.SendAsync(
            invoices, FrozenSet<(string, string)>.Empty, _keys, outcomes.Enqueue, progress, null, cancellationToken);
        var elapsed = Stopwatch.GetElapsedTime(started);
        var budget = Budget ?? BudgetReport.OfOutcomes(outcomes, objective);
        return RunReport.Create(_client, _keys, invoices.Count, outcomes, _flakyApi, requests.Count, _logLines.Count, elapsed, budget) with
        {
            StoppedBy = report?.StoppedBy?.Error,
        };
    }

    /// <summary>Stops the host, which delivers the pending alerts.</summary>
    /// <returns>Null when alerts are off.</returns>
    public async Task<AlertReport?> StopAsync(CancellationToken cancellationToken)
    {
        if (_alerts is not null) await _alerts.WaitUntilOverAsync(cancellationToken);
        await (_stopped ??= _host.StopAsync(CancellationToken.None));
        return _alerts?.Report();
    }

    public async ValueTask DisposeAsync()
    {
        await (_stopped ??= _host.StopAsync());
        // A durable store is disposed asynchronously.
        await ((IAsyncDisposable)_host).DisposeAsync();
        if (_alerts is not null) await _alerts.DisposeAsync();
        if (_flakyApi is not null) await _flakyApi.DisposeAsync();
    }
}
