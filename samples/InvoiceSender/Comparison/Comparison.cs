namespace InvoiceSender;

/// <summary>
/// Sends the same file with each client, each to a new API with the same faults, at the same time. A real API receives the file once,
/// from the resilient client.
/// </summary>
internal sealed class Comparison(SenderOptions options, HostFactory createHost, ProgressDisplay display)
{
    private readonly (InvoiceKeys Keys, ClientKind Client)[] _runs = options.Compares
        ? [.. options.Keys.SelectMany(_ => Enum.GetValues<ClientKind>(), (keys, client) => (keys, client))]
        : [(InvoiceKeys.None, ClientKind.Resilient)];

    public async Task<ComparisonReport> RunAsync(IReadOnlyList<Invoice> invoices, CancellationToken cancellationToken)
    {
        List<SendingRun> runs = [];
        try
        {
            // All hosts start before the first request, so that an invalid setting shows at once and not after minutes.
            foreach (var (keys, client) in _runs)
                runs.Add(await SendingRun.StartAsync(client, keys, invoices.Count, options, createHost, cancellationToken));

            // Clients without a budget are measured against the objective of the resilient one.
            var objective = runs[^1].Objective!.Value;
            var reports = await display.ShowAsync(invoices.Count,
                [.. runs.Select(run => (run.Title, (ProgressDisplay.Shown<RunReport>)(progress =>
                    run.SendAsync(invoices, objective, progress, cancellationToken))))]);

            var alerts = await Task.WhenAll(runs.Select(run => run.StopAsync(cancellationToken)));
            return new(options.Api is null ? options.Seed : null, cancellationToken.IsCancellationRequested, reports,
                AlertReport.Join([.. alerts.OfType<AlertReport>()]));
        }
        finally
        {
            foreach (var run in runs) await run.DisposeAsync();
        }
    }
}
