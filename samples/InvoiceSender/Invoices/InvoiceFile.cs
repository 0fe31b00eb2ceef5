using System.Globalization;
using System.Text;
using Microsoft.VisualBasic.FileIO;

namespace InvoiceSender;

/// <summary>Reads invoices from a CSV file (RFC 4180) with a header row.</summary>
internal static class InvoiceFile
{
    public static readonly IReadOnlyList<string> Columns =
        ["invoiceNumber", "company", "receiverName", "receiver", "currency", "net", "vat", "dueDate"];

    public static async Task<IReadOnlyList<Invoice>> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return Parse(path, await File.ReadAllTextAsync(path, Encoding.UTF8, cancellationToken));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"Cannot read the CSV file: {exception.Message}", exception);
        }
    }

    private static List<Invoice> Parse(string path, string text)
    {
        using var parser = new TextFieldParser(new StringReader(text)) { Delimiters = [","], TrimWhiteSpace = false };
        try
        {
            if (parser.ReadFields() is not { } header || !header.SequenceEqual(Columns, StringComparer.OrdinalIgnoreCase))
                throw new CommandException($"{path}: the first row must be \"{string.Join(',', Columns)}\".");

            List<Invoice> invoices = [];
            Dictionary<(string Company, string Number), int> rows = [];
            for (var row = 2; parser.ReadFields() is { } fields; row++)
            {
                var invoice = ToInvoice(path, row, fields);
                if (!rows.TryAdd(invoice.Id, row))
                    throw new CommandException(
                        $"{path}, row {row}: invoice {invoice.InvoiceNumber} of this company is already in row {rows[invoice.Id]}.");
                invoices.Add(invoice);
            }

            return invoices.Count > 0 ? invoices : throw new CommandException($"{path}: the file has no invoices.");
        }
        catch (MalformedLineException exception)
        {
            throw new CommandException(
                $"{path}, row {parser.ErrorLineNumber}: a quoted field is not closed, or has text after its closing quote.", exception);
        }
    }

    private static Invoice ToInvoice(string path, int row, string[] fields) => fields.Length == Columns.Count
        ? new Invoice
        {
            Row = row,
            Fields = fields,
            InvoiceNumber =
                fields[0] is { Length: > 0 } number ? number : throw new CommandException($"{path}, row {row}: invoiceNumber is empty."),
            Company = fields[1],
            ReceiverName = fields[2],
            Receiver = fields[3],
            Currency = fields[4],
            Net = ToAmount(path, row, "net", fields[5]),
            Vat = ToAmount(path, row, "vat", fields[6]),
            DueDate = fields[7],
        }
        : throw new CommandException($"{path}, row {row}: {fields.Length} fields instead of {Columns.Count}.");

    private static decimal ToAmount(string path, int row, string column, string value) =>
        decimal.TryParse(
            value, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
            ? amount
            : throw new CommandException($"{path}, row {row}: {column} \"{value}\" is not an amount such as 1250.00.");
}
