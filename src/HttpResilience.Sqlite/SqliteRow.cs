using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace HttpResilience;

/// <summary>
/// The row at which a query stands. It asks SQLite once for a value; the reader of the library asks several times, and each time takes a
/// lock. The tables are STRICT, so that a value has the type of its column, or is null where the column may be.
/// </summary>
internal sealed class SqliteRow(SqliteDataReader reader)
{
    private const string Library = "e_sqlite3";

    private const int Null = 5;

    private readonly nint _statement = reader.Handle!.DangerousGetHandle();

    internal bool IsDBNull(int column) => TypeOf(_statement, column) == Null;

    internal long GetInt64(int column) => NumberOf(_statement, column);

    /// <exception cref="OverflowException">The number is out of range.</exception>
    internal int GetInt32(int column) => checked((int)NumberOf(_statement, column));

    internal bool GetBoolean(int column) => NumberOf(_statement, column) != 0;

    internal string GetString(int column)
    {
        nint text = TextOf(_statement, column);
        return text == 0 ? throw new FormatException($"The column {reader.GetName(column)} has no value.")
            : Marshal.PtrToStringUTF8(text, LengthOf(_statement, column));
    }

    internal Guid GetGuid(int column) => Guid.Parse(GetString(column));

    internal byte[] GetBytes(int column)
    {
        nint bytes = BlobOf(_statement, column);
        // An empty value has no address.
        if (bytes == 0)
            return [];
        byte[] copy = new byte[LengthOf(_statement, column)];
        Marshal.Copy(bytes, copy, 0, copy.Length);
        return copy;
    }

    [DllImport(Library, EntryPoint = "sqlite3_column_type", CallingConvention = CallingConvention.Cdecl),
    DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern int TypeOf(nint statement, int column);

    [DllImport(Library, EntryPoint = "sqlite3_column_int64", CallingConvention = CallingConvention.Cdecl),
    DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern long NumberOf(nint statement, int column);

    [DllImport(Library, EntryPoint = "sqlite3_column_text", CallingConvention = CallingConvention.Cdecl),
    DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern nint TextOf(nint statement, int column);

    [DllImport(Library, EntryPoint = "sqlite3_column_blob", CallingConvention = CallingConvention.Cdecl),
    DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern nint BlobOf(nint statement, int column);

    [DllImport(Library, EntryPoint = "sqlite3_column_bytes", CallingConvention = CallingConvention.Cdecl),
    DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern int LengthOf(nint statement, int column);
}
