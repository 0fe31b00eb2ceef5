namespace InvoiceSender;

/// <summary>Sends the same file over each registration, each time to an API that has not seen it before and has the same bad day.</summary>
internal sealed class Comparison(SenderOptions options, HostFactory createHost, ProgressDisplay display)
{
    // A real API is sent the file once: it is not there to be given the bare client's failures too.
    private readonly ClientKind[] _clients = options.Api is null ? [ClientKind.Bare, ClientKind.Resilient] : [ClientKind.Resilient];

    public async Task<ComparisonReport> RunAsync(IReadOnlyList<Invoice> invoices, CancellationToken cancellationToken)
    {
        List<SendingRun> runs = [];
        List<RunReport> reports = [];
        AlertReport? told = null;
        try
        {
            // All start before the first one sends: a wrong setting shows at once and not after minutes.
            foreach (var client in _clients) runs.Add(await SendingRun.StartAsync(client, invoices.Count, options, createHost, cancellationToken));

            // The bare client is measured by what is demanded of the other.
            var objective = runs[^1].Objective!.Value;
            foreach (var run in runs)
            {
                if (cancellationToken.IsCancellationRequested) break;
                reports.Add(await run.SendAsync(invoices, objective, display, cancellationToken));
                told = await run.StopAsync(cancellationToken) ?? told;
            }

            return new(options.Api is null ? options.Seed : null, cancellationToken.IsCancellationRequested, reports, told);
        }
        finally
        {
            foreach (var run in runs) await run.DisposeAsync();
        }
    }
}
