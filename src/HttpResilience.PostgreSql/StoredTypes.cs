using Npgsql;
using NpgsqlTypes;

namespace HttpResilience;

/// <summary>
/// The types of the columns as parameters of PostgreSQL, and the reading of those that the reader does not know by itself.
/// </summary>
internal static class StoredTypes
{
    internal static NpgsqlParameter Value<T>(T value) => new NpgsqlParameter<T> { TypedValue = value };

    internal static NpgsqlParameter Uuid(Guid? value) => Optional(value, NpgsqlDbType.Uuid);

    internal static NpgsqlParameter Long(long value) => Value(value);

    internal static NpgsqlParameter Long(long? value) => Optional(value, NpgsqlDbType.Bigint);

    internal static NpgsqlParameter Int(int? value) => Optional(value, NpgsqlDbType.Integer);

    internal static NpgsqlParameter Flag(bool value) => Value(value);

    internal static NpgsqlParameter Text(string? text) => StoredText.Storable(text) is { } storable
        ? new NpgsqlParameter<string> { TypedValue = storable, NpgsqlDbType = NpgsqlDbType.Text }
        : Null(NpgsqlDbType.Text);

    internal static NpgsqlParameter Time(DateTimeOffset? time) =>
        Optional<DateTimeOffset>(time is { } t ? StoredTime.Cut(t) : null, NpgsqlDbType.TimestampTz);

    internal static NpgsqlParameter Bytes(ReadOnlyMemory<byte>? bytes) => Optional(bytes, NpgsqlDbType.Bytea);

    internal static byte[] Bytes(StoredRow row, int column) => row.GetFieldValue<byte[]>(column);

    internal static DateTimeOffset Time(StoredRow row, int column) => row.GetFieldValue<DateTimeOffset>(column);

    private static NpgsqlParameter Optional<T>(T? value, NpgsqlDbType type)
        where T : struct => value is { } v ? new NpgsqlParameter<T> { TypedValue = v, NpgsqlDbType = type } : Null(type);

    private static NpgsqlParameter Null(NpgsqlDbType type) => new() { Value = DBNull.Value, NpgsqlDbType = type };
}
