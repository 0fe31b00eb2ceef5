namespace HttpResilience;

/// <summary>The order in which batches are listed.</summary>
internal static class BatchList
{
    /// <summary>Of two rows of one name, that of the application; the last saved first.</summary>
    internal static IReadOnlyList<StoredBatch> Of(IEnumerable<(bool IsOwn, StoredBatch Batch)> rows, int limit) =>
    [
        .. rows.GroupBy(r => r.Batch.Name, StringComparer.Ordinal).Select(g => g.MaxBy(r => r.IsOwn).Batch)
            .OrderByDescending(b => b.Run?.SavedAt ?? DateTimeOffset.MinValue).ThenBy(b => b.Name, StringComparer.Ordinal).Take(limit),
    ];
}
