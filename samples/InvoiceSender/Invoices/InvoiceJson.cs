using System.Text.Json;
using System.Text.Json.Serialization;

namespace InvoiceSender;

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Invoice))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(Receipt))]
internal sealed partial class InvoiceJson : JsonSerializerContext;
