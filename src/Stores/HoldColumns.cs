namespace HttpResilience;

/// <summary>
/// The columns of a host that is held back or let through, each stated once: first those of its key. The application is not among them: a
/// row belongs to that of its store.
/// </summary>
internal static class HoldColumns
{
    private static readonly StoredTable<CircuitHold> Table = new();
    private static readonly StoredColumn<CircuitHold, string> ClientName = Table.Text("client_name", h => h.ClientName);
    private static readonly StoredColumn<CircuitHold, string> Authority = Table.Text("authority", h => h.Authority);
    // No tenant has an empty name, and a column of a key cannot be null.
    private static readonly StoredColumn<CircuitHold, string> Tenant = Table.Text("tenant", h => h.Tenant ?? "");
    private static readonly StoredColumn<CircuitHold, bool> IsHeld = Table.Flag("is_held", h => h.IsHeld);
    private static readonly StoredColumn<CircuitHold, string> By = Table.Text("changed_by", h => h.By);
    private static readonly StoredColumn<CircuitHold, string?> Note = Table.OptionalText("note", h => h.Note);
    private static readonly StoredColumn<CircuitHold, DateTimeOffset> At = Table.Time("changed_at", h => h.At);

    internal const string Key = "application, client_name, authority, tenant";

    internal static readonly IReadOnlyList<StoredColumn<CircuitHold>> All = Table.Columns;

    internal static readonly string Names = StoredTable<CircuitHold>.Names(All);

    internal static readonly string Changes = string.Join(", ", All.Skip(3).Select(c => $"{c.Name} = excluded.{c.Name}"));

    internal static CircuitHold Read(StoredRow row) => new()
    {
        ClientName = ClientName.Of(row),
        Authority = Authority.Of(row),
        Tenant = Tenant.Of(row) is { Length: > 0 } tenant ? tenant : null,
        IsHeld = IsHeld.Of(row),
        By = By.Of(row),
        Note = Note.Of(row),
        At = At.Of(row),
    };
}
