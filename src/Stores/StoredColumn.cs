using System.Data.Common;

namespace HttpResilience;

/// <summary>
/// A column of a table: its name, and how a record's value is written and read. What differs between the stores is in
/// <see cref="StoredTypes"/>.
/// </summary>
/// <param name="Name">The name in the table.</param>
/// <param name="Write">Returns the value of a record as a parameter.</param>
/// <param name="Read">Returns the record with the value of a row at an ordinal.</param>
internal sealed record StoredColumn<T>(string Name, Func<T, StoredParameter?> Write, Func<T, DbDataReader, int, T> Read)
{
    internal static string Names(IEnumerable<StoredColumn<T>> columns) => string.Join(", ", columns.Select(c => c.Name));

    /// <summary>Reads a row whose columns are these.</summary>
    internal static T ReadAll(IReadOnlyList<StoredColumn<T>> columns, DbDataReader row, T empty)
    {
        var record = empty;
        for (int i = 0; i < columns.Count; i++)
            record = columns[i].Read(record, row, i);
        return record;
    }

    internal static StoredColumn<T> Uuid(string name, Func<T, Guid> get, Func<T, Guid, T> set) =>
        new(name, r => StoredTypes.Uuid(get(r)), (r, row, i) => set(r, row.GetGuid(i)));

    internal static StoredColumn<T> OptionalUuid(string name, Func<T, Guid?> get, Func<T, Guid?, T> set) =>
        new(name, r => StoredTypes.Uuid(get(r)), (r, row, i) => set(r, row.IsDBNull(i) ? null : row.GetGuid(i)));

    internal static StoredColumn<T> Long(string name, Func<T, long> get, Func<T, long, T> set) =>
        new(name, r => StoredTypes.Long(get(r)), (r, row, i) => set(r, row.GetInt64(i)));

    internal static StoredColumn<T> Int(string name, Func<T, int> get, Func<T, int, T> set) =>
        new(name, r => StoredTypes.Int(get(r)), (r, row, i) => set(r, row.GetInt32(i)));

    internal static StoredColumn<T> OptionalInt(string name, Func<T, int?> get, Func<T, int?, T> set) =>
        new(name, r => StoredTypes.Int(get(r)), (r, row, i) => set(r, row.IsDBNull(i) ? null : row.GetInt32(i)));

    internal static StoredColumn<T> Flag(string name, Func<T, bool> get, Func<T, bool, T> set) =>
        new(name, r => StoredTypes.Flag(get(r)), (r, row, i) => set(r, row.GetBoolean(i)));

    internal static StoredColumn<T> Text(string name, Func<T, string> get, Func<T, string, T> set) =>
        new(name, r => StoredTypes.Text(get(r)), (r, row, i) => set(r, row.GetString(i)));

    internal static StoredColumn<T> OptionalText(string name, Func<T, string?> get, Func<T, string?, T> set) =>
        new(name, r => StoredTypes.Text(get(r)), (r, row, i) => set(r, row.IsDBNull(i) ? null : row.GetString(i)));

    /// <summary>A value of an enumeration, by its name.</summary>
    internal static StoredColumn<T> Named<TEnum>(string name, Func<T, TEnum> get, Func<T, TEnum, T> set)
        where TEnum : struct, Enum => Text(name, r => get(r).ToString(), (r, v) => set(r, StoredText.Named<TEnum>(v)));

    internal static StoredColumn<T> Time(string name, Func<T, DateTimeOffset> get, Func<T, DateTimeOffset, T> set) =>
        new(name, r => StoredTypes.Time(get(r)), (r, row, i) => set(r, StoredTypes.Time(row, i)));

    internal static StoredColumn<T> OptionalTime(string name, Func<T, DateTimeOffset?> get, Func<T, DateTimeOffset?, T> set) =>
        new(name, r => StoredTypes.Time(get(r)), (r, row, i) => set(r, row.IsDBNull(i) ? null : StoredTypes.Time(row, i)));

    internal static StoredColumn<T> OptionalBytes(string name, Func<T, ReadOnlyMemory<byte>?> get, Func<T, ReadOnlyMemory<byte>?, T> set) =>
        new(
            name, r => StoredTypes.Bytes(get(r)),
            (r, row, i) => set(r, row.IsDBNull(i) ? default(ReadOnlyMemory<byte>?) : row.GetFieldValue<byte[]>(i)));
}
