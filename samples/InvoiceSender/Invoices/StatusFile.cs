using System.Text;
using Microsoft.VisualBasic.FileIO;

namespace InvoiceSender;

/// <summary>A copy of the invoice file, beside it, with a status column for each row.</summary>
internal sealed class StatusFile(string csv)
{
    private const string Column = "status";

    // Spreadsheets recognise UTF-8 by its byte order mark.
    private static readonly UTF8Encoding Encoding = new(encoderShouldEmitUTF8Identifier: true);

    public string Path { get; } = System.IO.Path.ChangeExtension(csv, ".status.csv");

    /// <summary>Replaces the file atomically, so that readers see either the old or the new content.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written.</exception>
    public void Write(IReadOnlyList<Invoice> invoices, Func<Invoice, string> statusOf)
    {
        var temporary = $"{Path}.{Environment.ProcessId}.tmp";
        try
        {
            File.WriteAllLines(temporary,
                [Line(InvoiceFile.Columns, Column), .. invoices.Select(invoice => Line(invoice.Fields, EscapeFormula(statusOf(invoice))))],
                Encoding);
            File.Move(temporary, Path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Reads the status of each invoice; empty when the file is missing or has another format.</summary>
    public IReadOnlyDictionary<(string Company, string Number), string> Read()
    {
        Dictionary<(string Company, string Number), string> all = [];
        if (!File.Exists(Path)) return all;

        using var parser = new TextFieldParser(Path, Encoding) { Delimiters = [","], TrimWhiteSpace = false };
        try
        {
            if (parser.ReadFields() is not { } header || !header.SequenceEqual([.. InvoiceFile.Columns, Column])) return all;

            while (parser.ReadFields() is { } fields)
                if (fields.Length == header.Length) all[(fields[1], fields[0])] = fields[^1];
            return all;
        }
        catch (MalformedLineException)
        {
            // The file was edited by hand; the rows read so far are used.
            return all;
        }
    }

    private static string Line(IEnumerable<string> fields, string status) => string.Join(',', fields.Append(status).Select(Quote));

    private static string Quote(string field) =>
        field.AsSpan().ContainsAny(",\"\r\n") || field != field.Trim() ? $"\"{field.Replace("\"", "\"\"")}\"" : field;

    // The reason is text from the API; a leading apostrophe keeps a spreadsheet from evaluating it as a formula.
    private static string EscapeFormula(string status) => status is ['=' or '+' or '-' or '@' or '\t' or '\r', ..] ? $"'{status}" : status;
}
