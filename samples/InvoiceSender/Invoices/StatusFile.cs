using System.Text;
using Microsoft.VisualBasic.FileIO;

namespace InvoiceSender;

/// <summary>The file of the invoices once more, beside it, with a column that says what has become of each row.</summary>
internal sealed class StatusFile(string csv)
{
    private const string Column = "status";

    // A spreadsheet knows UTF-8 by its mark.
    private static readonly UTF8Encoding Encoding = new(encoderShouldEmitUTF8Identifier: true);

    public string Path { get; } = System.IO.Path.ChangeExtension(csv, ".status.csv");

    /// <summary>Whoever has the file open sees it whole: as it was, or as it is.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written.</exception>
    public void Write(IReadOnlyList<Invoice> invoices, Func<Invoice, string> statusOf)
    {
        var temporary = $"{Path}.{Environment.ProcessId}.tmp";
        try
        {
            File.WriteAllLines(temporary, [Line(InvoiceFile.Columns, Column), .. invoices.Select(invoice => Line(invoice.Fields, Harmless(statusOf(invoice))))], Encoding);
            File.Move(temporary, Path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>What the file says of each invoice; nothing when it is not there or is not ours.</summary>
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
            // Somebody has edited it.
            return all;
        }
    }

    private static string Line(IEnumerable<string> fields, string status) => string.Join(',', fields.Append(status).Select(Quoted));

    private static string Quoted(string field) => field.AsSpan().ContainsAny(",\"\r\n") || field != field.Trim() ? $"\"{field.Replace("\"", "\"\"")}\"" : field;

    // A reason is the API's text, which a spreadsheet must not take for a formula.
    private static string Harmless(string status) => status is ['=' or '+' or '-' or '@' or '\t' or '\r', ..] ? $"'{status}" : status;
}
