using System.Text.Json;
using System.Text.Json.Serialization;

namespace InvoiceSender;

/// <summary>
/// What the sample's own API remembers from one run of the program to the next, in a file beside the dead letters: a line with the port where it listens, since the
/// letters are addressed to it, then a line for each invoice that it has worked on, there before the answer is. A program that is killed takes none of it along.
/// </summary>
internal sealed class LedgerFile : IDisposable
{
    private readonly FileStream _file;

    private LedgerFile(FileStream file, int port, IReadOnlyList<Given> given) => (_file, Port, Earlier) = (file, port, given);

    public int Port { get; }

    /// <summary>What was there when the file was opened.</summary>
    public IReadOnlyList<Given> Earlier { get; }

    public static string PathFor(string store) => store + ".ledger.jsonl";

    /// <param name="port">The port of an API that is new.</param>
    public static LedgerFile Open(string store, int port)
    {
        var path = PathFor(store);
        try
        {
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
            try
            {
                var lines = ReadLines(file);
                if (lines.Count == 0) Write(file, JsonSerializer.SerializeToUtf8Bytes(new Head(port), LedgerJson.Default.Head));
                else port = JsonSerializer.Deserialize(lines[0], LedgerJson.Default.Head)!.Port;
                return new(file, port, [.. lines.Skip(1).Select(line => JsonSerializer.Deserialize(line, LedgerJson.Default.Given)!)]);
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

    public void Append(Given given) => Write(_file, JsonSerializer.SerializeToUtf8Bytes(given, LedgerJson.Default.Given));

    public void Dispose() => _file.Dispose();

    // What a power cut left of a last line was never answered.
    private static List<string> ReadLines(FileStream file)
    {
        using var reader = new StreamReader(file, leaveOpen: true);
        var text = reader.ReadToEnd();
        var whole = text[..(text.LastIndexOf('\n') + 1)];
        file.SetLength(System.Text.Encoding.UTF8.GetByteCount(whole));
        file.Seek(0, SeekOrigin.End);
        return [.. whole.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    // In one piece, so that a kill leaves all of it or nothing.
    private static void Write(FileStream file, byte[] line) => file.Write([.. line, (byte)'\n']);

    /// <param name="IdempotencyKey">Null: it came without.</param>
    internal sealed record Given(string? IdempotencyKey, Invoice Invoice, Ledger.Answer Answer);

    internal sealed record Head(int Port);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(LedgerFile.Head))]
[JsonSerializable(typeof(LedgerFile.Given))]
internal sealed partial class LedgerJson : JsonSerializerContext;
