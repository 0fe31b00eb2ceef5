using Microsoft.AspNetCore.Http;

namespace HttpResilience.AspNetCore;

/// <summary>The description of the API (OpenAPI 3.1). Its addresses are relative to its own.</summary>
internal static class OpenApiDocument
{
    private static readonly Lazy<byte[]> Json = new(Read);

    internal static ReadOnlyMemory<byte> Bytes => Json.Value;

    internal static Task WriteAsync(ApiCall call) =>
        ApiCall.WriteAsync(call.Context, StatusCodes.Status200OK, "application/json; charset=utf-8", Bytes);

    private static byte[] Read()
    {
        using var resource = typeof(OpenApiDocument).Assembly.GetManifestResourceStream("openapi.json")!;
        using var bytes = new MemoryStream();
        resource.CopyTo(bytes);
        return bytes.ToArray();
    }
}
