using System.Security.Cryptography;
using System.Text;
using HttpResilience;

namespace InvoiceSender;

/// <summary>What a run over the same rows has done that was interrupted, and where this one says how far it is.</summary>
internal sealed class EarlierRun
{
    private const int PageSize = 500;
    private readonly StoredCheckpoint? _begun;

    private EarlierRun(BatchCheckpoint checkpoint, StoredCheckpoint? begun, IReadOnlyDictionary<long, BatchFailure> failures) =>
        (Checkpoint, _begun, Failures) = (checkpoint, begun, failures);

    public BatchCheckpoint Checkpoint { get; }

    /// <summary>By the index of the record.</summary>
    public IReadOnlyDictionary<long, BatchFailure> Failures { get; }

    public bool HasDone(long index) => _begun is not null && (index < _begun.Position || _begun.Done.Any(range => range.From <= index && index < range.To));

    /// <param name="resume">False: what is there is forgotten first.</param>
    /// <exception cref="CommandException">There is nothing to go on with.</exception>
    public static async Task<EarlierRun> OpenAsync(ICheckpointStore store, string csv, IReadOnlyList<Invoice> invoices, bool resume, CancellationToken cancellationToken)
    {
        var checkpoint = new BatchCheckpoint(store, NameOf(csv, invoices), CheckpointMode.AdvanceAndDeadLetter);
        if (!resume)
        {
            await store.DeleteAsync(checkpoint.Name, cancellationToken);
            return new(checkpoint, null, new Dictionary<long, BatchFailure>());
        }

        var (owner, now) = (Guid.NewGuid(), DateTimeOffset.UtcNow);
        var begun = await store.BeginAsync(checkpoint.Name, owner, now, leaseUntil: now, cancellationToken);
        if (begun.Owner != owner) Console.Error.WriteLine($"That run has not ended or was killed: waits until it gives the file back, {begun.LeaseUntil.LocalDateTime:HH:mm:ss} at the latest if it was.");
        if (begun is not { Position: 0, Done.Count: 0 }) return new(checkpoint, begun, await FailuresAsync(checkpoint, cancellationToken));

        if (begun.Owner == owner) await store.DeleteAsync(checkpoint.Name, cancellationToken);
        throw new CommandException(
            $"There is nothing to resume for {csv}: no run of it was interrupted, or rows have been added, removed or moved since. Run it without --resume; what was sent is not sent again.");
    }

    public Task ForgetAsync() => Checkpoint.Store.DeleteAsync(Checkpoint.Name, CancellationToken.None);

    // Where a row has moved, its index is another's. What else is in a row may be corrected.
    private static string NameOf(string csv, IReadOnlyList<Invoice> invoices) =>
        $"{Path.GetFullPath(csv)} {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', invoices.Select(invoice => invoice.Id)))).AsSpan(0, 8))}";

    private static async Task<Dictionary<long, BatchFailure>> FailuresAsync(BatchCheckpoint checkpoint, CancellationToken cancellationToken)
    {
        Dictionary<long, BatchFailure> all = [];
        IReadOnlyList<BatchFailure> page;
        do
        {
            page = await checkpoint.Store.FailuresAsync(checkpoint.Name, all.Count > 0 ? all.Keys.Max() : null, PageSize, cancellationToken);
            foreach (var failure in page) all.Add(failure.Index, failure);
        }
        while (page.Count == PageSize);
        return all;
    }
}
