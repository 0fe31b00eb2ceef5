using System.Security.Cryptography;
using System.Text;
using HttpResilience;
using HttpResilience.Storage;

namespace InvoiceSender;

/// <summary>The stored progress of an interrupted run over the same rows, and the checkpoint of this one.</summary>
internal sealed class EarlierRun
{
    private const int PageSize = 500;
    private readonly StoredCheckpoint? _stored;

    private EarlierRun(BatchCheckpoint checkpoint, StoredCheckpoint? stored, IReadOnlyDictionary<long, BatchFailure> failures) =>
        (Checkpoint, _stored, Failures) = (checkpoint, stored, failures);

    public BatchCheckpoint Checkpoint { get; }

    /// <summary>The failures by the index of their row.</summary>
    public IReadOnlyDictionary<long, BatchFailure> Failures { get; }

    public bool HasDone(long index) =>
        _stored is not null && (index < _stored.Position || _stored.Done.Any(range => range.From <= index && index < range.To));

    /// <param name="resume">False: the stored progress is deleted first.</param>
    /// <exception cref="CommandException">There is no interrupted run to resume.</exception>
    public static async Task<EarlierRun> OpenAsync(
        ICheckpointStore store, string csv, IReadOnlyList<Invoice> invoices, bool resume, CancellationToken cancellationToken)
    {
        var checkpoint = new BatchCheckpoint(store, NameOf(csv, invoices), CheckpointMode.AdvanceAndDeadLetter);
        if (!resume)
        {
            await store.DeleteAsync(checkpoint.Name, cancellationToken);
            return new(checkpoint, null, new Dictionary<long, BatchFailure>());
        }

        var (owner, now) = (Guid.NewGuid(), DateTimeOffset.UtcNow);
        var stored = await store.BeginAsync(checkpoint.Name, owner, now, leaseUntil: now, cancellationToken);
        if (stored.Owner != owner) Console.Error.WriteLine($"The earlier run is still active or was killed; waiting until its lease ends, "
            + $"at the latest at {stored.LeaseUntil.LocalDateTime:HH:mm:ss} if it was killed.");
        if (stored is not { Position: 0, Done.Count: 0 })
            return new(checkpoint, stored, await FailuresAsync(checkpoint, cancellationToken));

        if (stored.Owner == owner) await store.DeleteAsync(checkpoint.Name, cancellationToken);
        throw new CommandException(
            $"There is nothing to resume for {csv}: no run of it was interrupted, or rows were added, removed or moved since. "
                + $"Run without --resume; accepted invoices are not sent again.");
    }

    public Task DeleteAsync() => Checkpoint.Store.DeleteAsync(Checkpoint.Name, CancellationToken.None);

    // The name covers the order of the invoices, because progress is stored by index; other fields of a row may be corrected.
    private static string NameOf(string csv, IReadOnlyList<Invoice> invoices)
    {
        var ids = Encoding.UTF8.GetBytes(string.Join('\n', invoices.Select(invoice => invoice.Id)));
        return $"{Path.GetFullPath(csv)} {Convert.ToHexStringLower(SHA256.HashData(ids).AsSpan(0, 8))}";
    }

    private static async Task<Dictionary<long, BatchFailure>> FailuresAsync(BatchCheckpoint checkpoint, CancellationToken cancellationToken)
    {
        Dictionary<long, BatchFailure> all = [];
        IReadOnlyList<BatchFailure> page;
        do
        {
            page = await checkpoint.Store.FailuresAsync(
                checkpoint.Name, all.Count > 0 ? all.Keys.Max() : null, PageSize, cancellationToken);
            foreach (var failure in page) all.Add(failure.Index, failure);
        }
        while (page.Count == PageSize);
        return all;
    }
}
