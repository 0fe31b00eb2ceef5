namespace HttpResilience;

/// <summary>
/// A column of a table: its name, and how a record's value is written. What differs between the stores is in <see cref="StoredTypes"/>.
/// </summary>
internal abstract partial class StoredColumn<T>(string name)
{
    /// <summary>The name in the table.</summary>
    internal string Name => name;

    /// <summary>The value of a record as a parameter.</summary>
    internal abstract StoredParameter? Write(T record);
}

/// <summary>A column, and how its value is read.</summary>
internal sealed partial class StoredColumn<T, TValue>(
    string name, int ordinal, Func<T, TValue> get, Func<TValue, StoredParameter?> write, Func<StoredRow, int, TValue> read)
    : StoredColumn<T>(name)
{
    internal override StoredParameter? Write(T record) => write(get(record));

    /// <summary>The value of a row that has the columns of the table in their order.</summary>
    internal TValue Of(StoredRow row) => read(row, ordinal);
}

/// <summary>The columns of a table, in the order in which they are added.</summary>
internal sealed class StoredTable<T>
{
    private readonly List<StoredColumn<T>> _columns = [];

    internal IReadOnlyList<StoredColumn<T>> Columns => _columns;

    internal static string Names(IEnumerable<StoredColumn<T>> columns) => string.Join(", ", columns.Select(c => c.Name));

    internal StoredColumn<T, Guid> Uuid(string name, Func<T, Guid> get) =>
        Add(name, get, v => StoredTypes.Uuid(v), (row, i) => row.GetGuid(i));

    internal StoredColumn<T, Guid?> OptionalUuid(string name, Func<T, Guid?> get) =>
        Add(name, get, StoredTypes.Uuid, (row, i) => row.IsDBNull(i) ? null : row.GetGuid(i));

    internal StoredColumn<T, long> Long(string name, Func<T, long> get) =>
        Add(name, get, v => StoredTypes.Long(v), (row, i) => row.GetInt64(i));

    internal StoredColumn<T, long?> OptionalLong(string name, Func<T, long?> get) =>
        Add(name, get, v => StoredTypes.Long(v), (row, i) => row.IsDBNull(i) ? default(long?) : row.GetInt64(i));

    internal StoredColumn<T, int> Int(string name, Func<T, int> get) =>
        Add(name, get, v => StoredTypes.Int(v), (row, i) => row.GetInt32(i));

    internal StoredColumn<T, int?> OptionalInt(string name, Func<T, int?> get) =>
        Add(name, get, StoredTypes.Int, (row, i) => row.IsDBNull(i) ? default(int?) : row.GetInt32(i));

    internal StoredColumn<T, bool> Flag(string name, Func<T, bool> get) =>
        Add(name, get, StoredTypes.Flag, (row, i) => row.GetBoolean(i));

    internal StoredColumn<T, string> Text(string name, Func<T, string> get) =>
        Add(name, r => StoredText.Storable(get(r))!, StoredTypes.Text, (row, i) => row.GetString(i));

    internal StoredColumn<T, string?> OptionalText(string name, Func<T, string?> get) =>
        Add(name, r => StoredText.Storable(get(r)), StoredTypes.Text, (row, i) => row.IsDBNull(i) ? null : row.GetString(i));

    internal StoredColumn<T, DateTimeOffset> Time(string name, Func<T, DateTimeOffset> get) =>
        Add(name, r => StoredTime.Cut(get(r)), v => StoredTypes.Time(v), StoredTypes.Time);

    internal StoredColumn<T, DateTimeOffset?> OptionalTime(string name, Func<T, DateTimeOffset?> get) => Add(
        name, r => get(r) is { } time ? StoredTime.Cut(time) : default(DateTimeOffset?), StoredTypes.Time,
        (row, i) => row.IsDBNull(i) ? default(DateTimeOffset?) : StoredTypes.Time(row, i));

    internal StoredColumn<T, ReadOnlyMemory<byte>?> OptionalBytes(string name, Func<T, ReadOnlyMemory<byte>?> get) => Add(
        name, get, StoredTypes.Bytes, (row, i) => row.IsDBNull(i) ? default(ReadOnlyMemory<byte>?) : StoredTypes.Bytes(row, i));

    private StoredColumn<T, TValue> Add<TValue>(
        string name, Func<T, TValue> get, Func<TValue, StoredParameter?> write, Func<StoredRow, int, TValue> read)
    {
        var column = new StoredColumn<T, TValue>(name, _columns.Count, get, write, read);
        _columns.Add(column);
        return column;
    }
}
