using System.Collections.Concurrent;
using HttpResilience;

namespace InvoiceSender;

/// <summary>Sends every invoice of a file; one that fails never stops the others.</summary>
internal sealed class InvoiceBatch(InvoiceClient client, TimeProvider time)
{
    /// <param name="settled">Invoices that somebody has seen to in another way: not to be sent.</param>
    /// <param name="tell">Told of each invoice that is done, at once: a batch that is cancelled has no report.</param>
    /// <returns>Null when <paramref name="cancellationToken"/> is cancelled.</returns>
    public async Task<BatchReport?> SendAsync(
        IReadOnlyList<Invoice> invoices, IReadOnlySet<(string Company, string Number)> settled, Action<InvoiceOutcome> tell, IProgress<BatchProgress> progress,
        BatchCheckpoint? checkpoint, CancellationToken cancellationToken)
    {
        ConcurrentDictionary<Invoice, long> begun = [];
        var options = new BatchOptions<Invoice>
        {
            MaxParallelism = 8,
            Scope = (invoice, _) => new() { Tags = { ["rowNumber"] = invoice.Row } },
            StopWhen = failure => Tell(invoices[(int)failure.Index], null, failure),
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
            Tell(invoice, settled.Contains(invoice.Id) ? null : await client.SendAsync(invoice, token), null);
        }

        // No failure stops the batch but those that would be the same for all.
        bool Tell(Invoice invoice, Receipt? receipt, BatchFailure? failure)
        {
            tell(new(invoice, receipt, failure, time.GetElapsedTime(begun[invoice])));
            return false;
        }
    }
}
