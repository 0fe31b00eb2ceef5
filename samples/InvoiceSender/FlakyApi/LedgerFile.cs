using System.Text.Json;
using System.Text.Json.Serialization;

namespace InvoiceSender;

/// <summary>What the sample's own API remembers from one run of the program to the next, in a file beside the dead letters.</summary>
/// <param name="Port">Where it listens: the letters are addressed to it.</param>
internal sealed record LedgerFile(int Port, int LastId, IReadOnlyList<LedgerFile.Entry> Stored, IReadOnlyList<LedgerFile.Given> Answers)
{
    public static string PathFor(string store) => store + ".ledger.json";

    /// <summary>Null when there is none.</summary>
    public static async Task<LedgerFile?> ReadAsync(string store, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = File.OpenRead(PathFor(store));
            return await JsonSerializer.DeserializeAsync(file, LedgerJson.Default.LedgerFile, cancellationToken);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (JsonException exception)
        {
            throw new CommandException($"{PathFor(store)} is not the ledger of the sample's API: {exception.Message}");
        }
    }

    public void Write(string store) => File.WriteAllBytes(PathFor(store), JsonSerializer.SerializeToUtf8Bytes(this, LedgerJson.Default.LedgerFile));

    internal sealed record Entry(string Company, string InvoiceNumber, int Times);

    internal sealed record Given(string IdempotencyKey, Invoice Invoice, Ledger.Answer Answer);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(LedgerFile))]
internal sealed partial class LedgerJson : JsonSerializerContext;
