using System.Collections.Concurrent;
using HttpResilience;

namespace InvoiceSender;

/// <summary>Sends every invoice of a file; a failed invoice does not stop the others.</summary>
internal sealed class InvoiceBatch(InvoiceClient client, TimeProvider time)
{
    /// <param name="settled">Invoices that were resolved in another way and are not sent.</param>
    /// <param name="onOutcome">Called as soon as an invoice is done, because a cancelled batch returns no report.</param>
    /// <returns>Null when <paramref name="cancellationToken"/> is cancelled.</returns>
    public async Task<BatchReport?> SendAsync(
        IReadOnlyList<Invoice> invoices, IReadOnlySet<(string Company, string Number)> settled, InvoiceKeys keys,
        Action<InvoiceOutcome> onOutcome, IProgress<BatchProgress> progress, BatchCheckpoint? checkpoint,
        CancellationToken cancellationToken)
    {
        ConcurrentDictionary<Invoice, long> begun = [];
        var options = new BatchOptions<Invoice>
        {
            MaxParallelism = 8,
            Scope = (invoice, _) => new() { Tags = { ["rowNumber"] = invoice.Row } },
            StopWhen = failure => Report(invoices[(int)failure.Index], null, failure),
            Progress = progress,
            Checkpoint = checkpoint,
            TimeProvider = time,
        };
        try
        {
            return await IsolatedBatch.RunAsync(invoices, SendAsync, options, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return null;
        }

        async Task SendAsync(Invoice invoice, CancellationToken token)
        {
            begun.TryAdd(invoice, time.GetTimestamp());
            var key = keys is InvoiceKeys.Application ? invoice.Key : null;
            Report(invoice, settled.Contains(invoice.Id) ? null : await client.SendAsync(invoice, key, token), null);
        }

        // A failure of one invoice does not stop the batch; the batch stops by itself for failures that affect every invoice.
        bool Report(Invoice invoice, Receipt? receipt, BatchFailure? failure)
        {
            onOutcome(new(invoice, receipt, failure, time.GetElapsedTime(begun[invoice])));
            return false;
        }
    }
}
