namespace InvoiceSender;

/// <summary>Sends the same file with each client, each time to a new API with the same faults.</summary>
internal sealed class Comparison(SenderOptions options, HostFactory createHost, ProgressDisplay display)
{
    // A real API receives the file only once, from the resilient client.
    private readonly ClientKind[] _clients = options.Api is null ? [ClientKind.Bare, ClientKind.Resilient] : [ClientKind.Resilient];

    public async Task<ComparisonReport> RunAsync(IReadOnlyList<Invoice> invoices, CancellationToken cancellationToken)
    {
        List<SendingRun> runs = [];
        List<RunReport> reports = [];
        AlertReport? alertReport = null;
        try
        {
            // All hosts start before the first request, so that an invalid setting shows at once and not after minutes.
            foreach (var client in _clients)
                runs.Add(await SendingRun.StartAsync(client, invoices.Count, options, createHost, cancellationToken));

            // The bare client is measured against the objective of the resilient one.
            var objective = runs[^1].Objective!.Value;
            foreach (var run in runs)
            {
                if (cancellationToken.IsCancellationRequested) break;
                reports.Add(await run.SendAsync(invoices, objective, display, cancellationToken));
                alertReport = await run.StopAsync(cancellationToken) ?? alertReport;
            }

            return new(options.Api is null ? options.Seed : null, cancellationToken.IsCancellationRequested, reports, alertReport);
        }
        finally
        {
            foreach (var run in runs) await run.DisposeAsync();
        }
    }
}
