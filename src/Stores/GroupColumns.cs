namespace HttpResilience;

/// <summary>What a query of groups returns.</summary>
internal static class GroupColumns
{
    /// <summary>The columns of the newest letter of each group, after its counts.</summary>
    internal const string OfNewest = "id, client_name, method, uri, tags, failure_class, status_code, error_type";

    private static readonly DateTimeOffset AnyTime = DateTimeOffset.UnixEpoch;

    /// <summary>Reads a row of fingerprint, letters of the three statuses, first and last time, and <see cref="OfNewest"/>.</summary>
    internal static (CountedGroup Group, CauseFamily Family) Read(StoredRow row)
    {
        var group = new CountedGroup(
            row.GetString(0), row.GetGuid(6), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), StoredTypes.Time(row, 4),
            StoredTypes.Time(row, 5));
        string failureClass = row.GetString(11);
        string status = !row.IsDBNull(12) ? $"{row.GetInt32(12)}" : row.IsDBNull(13) ? "" : row.GetString(13);
        return (group, new(row.GetString(7), row.GetString(8), RouteOf(row.GetString(9), row.GetString(10)), failureClass, status));
    }

    // A row that cannot be read is one of its own.
    private static string RouteOf(string uri, string tags)
    {
        try
        {
            return new DeadLetter
            {
                Id = Guid.Empty,
                ClientName = "",
                Method = "",
                Uri = new(uri, UriKind.Absolute),
                Tags = StoredJson.Map(tags),
                FailureClass = default,
                StopReason = default,
                Status = default,
                FirstFailedAt = AnyTime,
                LastFailedAt = AnyTime,
                DueAt = AnyTime,
            }.Route;
        }
        catch (Exception e) when (StoredRows.IsOfFormat(e))
        {
            return uri;
        }
    }
}
