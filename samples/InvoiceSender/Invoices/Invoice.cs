using System.Text.Json.Serialization;

namespace InvoiceSender;

/// <summary>One row of the file. The API judges the values, so a receiver or a due date stays the text that the file has.</summary>
internal sealed record Invoice
{
    /// <summary>The row as a spreadsheet numbers it: the header is row 1.</summary>
    [JsonIgnore]
    public int Row { get; init; }

    /// <summary>Its place among the invoices of the file, from 0.</summary>
    [JsonIgnore]
    public int Index => Row - 2;

    /// <summary>The row as the file has it.</summary>
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

    /// <summary>Companies number their invoices each for itself.</summary>
    [JsonIgnore]
    public (string Company, string Number) Id => (Company, InvoiceNumber);
}
