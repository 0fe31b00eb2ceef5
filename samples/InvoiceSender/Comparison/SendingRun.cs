using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics;

namespace InvoiceSender;

/// <summary>One registration in a host of its own, and an API that nobody has sent anything to yet.</summary>
internal sealed class SendingRun : IAsyncDisposable
{
    private readonly ClientKind _client;
    private readonly FlakyApi? _flakyApi;
    private readonly IHost _host;
    private readonly LogLineCounter _logLines = new();

    private SendingRun(ClientKind client, FlakyApi? flakyApi, SenderOptions options, HostFactory createHost)
    {
        _client = client;
        _flakyApi = flakyApi;
        _host = createHost(client, options.Api ?? flakyApi!.Address, options.DeadLetters, logging =>
        {
            logging.ClearProviders().AddProvider(_logLines);
            if (options.Verbose)
                logging.AddSimpleConsole(console => console.SingleLine = true).AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        });
    }

    public static async Task<SendingRun> StartAsync(
        ClientKind client, int invoices, SenderOptions options, HostFactory createHost, CancellationToken cancellationToken)
    {
        var flakyApi = options.Api is not null ? null
            : options.DeadLetters is { } store ? await FlakyApi.StartAsync(options.Seed, store, cancellationToken)
            : await FlakyApi.StartAsync(options.Seed, invoices, cancellationToken);
        var run = new SendingRun(client, flakyApi, options, createHost);
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

    public IServiceProvider Services => _host.Services;

    public InvoiceBatch Batch => Services.GetRequiredService<InvoiceBatch>();

    public FlakyApi? Api => _flakyApi;

    public async Task<RunReport> SendAsync(IReadOnlyList<Invoice> invoices, ProgressDisplay display, CancellationToken cancellationToken)
    {
        ConcurrentQueue<InvoiceOutcome> outcomes = [];
        using var requests = new RequestCounter();
        var started = Stopwatch.GetTimestamp();
        var report = await display.ShowAsync(_client.Title, invoices.Count, progress =>
            Batch.SendAsync(invoices, FrozenSet<(string, string)>.Empty, outcomes.Enqueue, progress, null, cancellationToken));
        return RunReport.Create(_client, invoices.Count, outcomes, _flakyApi, requests.Count, _logLines.Count, Stopwatch.GetElapsedTime(started)) with { StoppedBy = report?.StoppedBy?.Error };
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        // Asynchronously, as a durable store is closed.
        await ((IAsyncDisposable)_host).DisposeAsync();
        if (_flakyApi is not null) await _flakyApi.DisposeAsync();
    }
}
