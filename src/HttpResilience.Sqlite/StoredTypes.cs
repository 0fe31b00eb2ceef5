namespace HttpResilience;

/// <summary>The types of the columns as values of SQLite, and the reading of those that the reader does not know by itself.</summary>
internal static class StoredTypes
{
    internal static object? Uuid(Guid? value) => value?.ToString("D");

    internal static object Long(long value) => value;

    internal static object? Long(long? value) => value;

    internal static object? Int(int? value) => value;

    internal static object Flag(bool value) => value;

    internal static object? Text(string? text) => StoredText.Storable(text);

    internal static object? Time(DateTimeOffset? time) => time is { } t ? StoredTime.Microseconds(t) : null;

    internal static object? Bytes(ReadOnlyMemory<byte>? bytes) => bytes?.ToArray();

    internal static byte[] Bytes(StoredRow row, int column) => row.GetBytes(column);

    internal static DateTimeOffset Time(StoredRow row, int column) => StoredTime.From(row.GetInt64(column));
}
