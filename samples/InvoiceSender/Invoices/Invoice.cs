using System.Text.Json.Serialization;

namespace InvoiceSender;

/// <summary>One row of the file. Values stay text because the API validates them.</summary>
internal sealed record Invoice
{
    /// <summary>The row number as in a spreadsheet: the header is row 1.</summary>
    [JsonIgnore]
    public int Row { get; init; }

    /// <summary>The zero-based index among the invoices of the file.</summary>
    [JsonIgnore]
    public int Index => Row - 2;

    /// <summary>The raw fields of the row.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Fields { get; init; } = [];

    public required string InvoiceNumber { get; init; }
    public required string Company { get; init; }
    public required string ReceiverName { get; init; }

    /// <summary>Scheme and identifier, as in <c>0088:9527591553377</c>.</summary>
    public required string Receiver { get; init; }

    public required string Currency { get; init; }
    public required decimal Net { get; init; }
    public required decimal Vat { get; init; }
    public required string DueDate { get; init; }

    /// <summary>Invoice numbers are unique only within a company.</summary>
    [JsonIgnore]
    public (string Company, string Number) Id => (Company, InvoiceNumber);

    /// <summary>The application's own Idempotency-Key: the id, with ASCII characters only.</summary>
    [JsonIgnore]
    public string Key => Uri.EscapeDataString($"{Company}:{InvoiceNumber}");
}
