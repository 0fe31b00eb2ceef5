namespace HttpResilience;

/// <summary>What a query of groups counts, after the columns of the newest letter of each.</summary>
/// <param name="Pending">Letters that are sent again by themselves.</param>
/// <param name="InProgress">Letters that are being sent.</param>
/// <param name="RequiresReview">Letters that need a person.</param>
internal readonly record struct GroupColumns(
    long Pending, long InProgress, long RequiresReview, DateTimeOffset FirstFailedAt, DateTimeOffset LastFailedAt)
{
    internal static GroupColumns Read(StoredRow row)
    {
        int column = LetterColumns.All.Count;
        return new(
            row.GetInt64(column), row.GetInt64(column + 1), row.GetInt64(column + 2), StoredTypes.Time(row, column + 3),
            StoredTypes.Time(row, column + 4));
    }

    internal DeadLetterGroup Of(DeadLetter newest) =>
        new(newest.Fingerprint, newest, Pending, InProgress, RequiresReview, FirstFailedAt, LastFailedAt);
}
