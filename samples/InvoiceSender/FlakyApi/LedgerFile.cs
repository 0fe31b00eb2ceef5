using System.Text.Json;
using System.Text.Json.Serialization;

namespace InvoiceSender;

/// <summary>
/// The state of the sample's own API between two runs of the program, in a file beside the dead-letter store: one line
/// with its port, because the letters are addressed to it, then one line for each processed invoice, written before
/// the response so that a kill loses nothing.
/// </summary>
internal sealed class LedgerFile : IDisposable
{
    private readonly FileStream _file;

    private LedgerFile(FileStream file, int port, IReadOnlyList<Entry> entries) => (_file, Port, Entries) = (file, port, entries);

    public int Port { get; }

    /// <summary>The entries that the file had when it was opened.</summary>
    public IReadOnlyList<Entry> Entries { get; }

    public static string PathFor(string store) => store + ".ledger.jsonl";

    /// <param name="port">The port to write when the file is new.</param>
    public static LedgerFile Open(string store, int port)
    {
        var path = PathFor(store);
        try
        {
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
            try
            {
                var lines = ReadLines(file);
                if (lines.Count == 0) Write(file, JsonSerializer.SerializeToUtf8Bytes(new Header(port), LedgerJson.Default.Header));
                else port = JsonSerializer.Deserialize(lines[0], LedgerJson.Default.Header)!.Port;
                return new(file, port, [.. lines.Skip(1).Select(line => JsonSerializer.Deserialize(line, LedgerJson.Default.Entry)!)]);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (JsonException exception)
        {
            throw new CommandException($"{path} is not the ledger of the sample's API: {exception.Message}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"The sample's own API cannot keep its ledger: {exception.Message}");
        }
    }

    public void Append(Entry entry) => Write(_file, JsonSerializer.SerializeToUtf8Bytes(entry, LedgerJson.Default.Entry));

    public void Dispose() => _file.Dispose();

    // An incomplete last line belongs to a request that got no response, so it is cut off.
    private static List<string> ReadLines(FileStream file)
    {
        using var reader = new StreamReader(file, leaveOpen: true);
        var text = reader.ReadToEnd();
        var whole = text[..(text.LastIndexOf('\n') + 1)];
        file.SetLength(System.Text.Encoding.UTF8.GetByteCount(whole));
        file.Seek(0, SeekOrigin.End);
        return [.. whole.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    // One write call, so that a kill leaves a whole line or none.
    private static void Write(FileStream file, byte[] line) => file.Write([.. line, (byte)'\n']);

    /// <param name="IdempotencyKey">Null when the request had none.</param>
    internal sealed record Entry(string? IdempotencyKey, Invoice Invoice, Ledger.Answer Answer);

    internal sealed record Header(int Port);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(LedgerFile.Header))]
[JsonSerializable(typeof(LedgerFile.Entry))]
internal sealed partial class LedgerJson : JsonSerializerContext;
