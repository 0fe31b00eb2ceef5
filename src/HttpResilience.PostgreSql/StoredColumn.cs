using Npgsql;
using NpgsqlTypes;

namespace HttpResilience;

internal abstract partial class StoredColumn<T>
{
    /// <summary>The values of several records as one parameter, an array.</summary>
    internal abstract NpgsqlParameter WriteAll(IReadOnlyList<T> records);
}

internal sealed partial class StoredColumn<T, TValue>
{
    internal override NpgsqlParameter WriteAll(IReadOnlyList<T> records) => new NpgsqlParameter<TValue[]>
    {
        TypedValue = [.. records.Select(get)],
        NpgsqlDbType = NpgsqlDbType.Array | write(get(records[0]))!.NpgsqlDbType,
    };
}
