using System.Collections.Concurrent;
using HttpResilience;

namespace InvoiceSender;

/// <summary>Sends every invoice of a file; one that fails never stops the others.</summary>
internal sealed class InvoiceBatch(InvoiceClient client, TimeProvider time)
{
    private const int MaxParallelism = 8;
    private static readonly TimeSpan DefaultBreak = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(30);

    private long _lastReply = time.GetTimestamp();

    /// <summary>Returns what was done: less than the whole file when <paramref name="cancellationToken"/> is cancelled.</summary>
    public async Task<IReadOnlyCollection<InvoiceOutcome>> SendAsync(
        IEnumerable<Invoice> invoices, IProgress<InvoiceOutcome> progress, CancellationToken cancellationToken)
    {
        ConcurrentQueue<InvoiceOutcome> outcomes = [];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = MaxParallelism, CancellationToken = cancellationToken };
        try
        {
            await Parallel.ForEachAsync(invoices, parallel, async (invoice, token) =>
            {
                var outcome = await SendAsync(invoice, token);
                outcomes.Enqueue(outcome);
                progress.Report(outcome);
            });
            return outcomes;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return outcomes;
        }
    }

    private async Task<InvoiceOutcome> SendAsync(Invoice invoice, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var attempts = 0;
        while (true)
        {
            try
            {
                var reply = await client.SendAsync(invoice, cancellationToken);
                Volatile.Write(ref _lastReply, time.GetTimestamp());
                attempts += reply.Attempts;
                return reply.IsAccepted ? Outcome(InvoiceResult.Accepted, null)
                    : reply.IsBadData ? Outcome(InvoiceResult.BadData, reply.Reason)
                    : Outcome(InvoiceResult.Failed, $"{(int)reply.StatusCode} {reply.Reason}");
            }
            catch (CircuitOpenException open) when (time.GetElapsedTime(Volatile.Read(ref _lastReply)) < GiveUpAfter)
            {
                // Nothing was sent: the API is down for everybody, so this invoice waits with the others and goes out under the same key.
                attempts += open.GetHttpCall()?.Attempts.Count ?? 0;
                await Task.Delay(open.RetryAfter is { Ticks: > 0 } wait ? wait : DefaultBreak, time, cancellationToken);
                // Kept as a dead letter: it goes out later by itself, and only the next one has waited.
                if (open.GetHttpCall()?.DeadLetterId is not null) return Outcome(InvoiceResult.Failed, open.Message);
            }
            catch (Exception exception)
            {
                cancellationToken.ThrowIfCancellationRequested();
                attempts += exception.GetHttpCall()?.Attempts.Count ?? 1;
                return Outcome(InvoiceResult.Failed, exception is HttpRequestException { InnerException: { } cause } ? cause.Message : exception.Message);
            }
        }

        InvoiceOutcome Outcome(InvoiceResult result, string? reason) => new(invoice, result, reason, attempts, time.GetElapsedTime(started));
    }
}
