using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace HttpResilience.AspNetCore;

/// <summary>The style sheet and the script, which the page serves itself: neither needs anything of the host.</summary>
internal static class PageAssets
{
    private static readonly Dictionary<string, (byte[] Bytes, string Type)> Files = new Dictionary<string, (byte[], string)>
    {
        ["style.css"] = (Read("style.css"), "text/css; charset=utf-8"),
        ["icon.svg"] = (Read("icon.svg"), "image/svg+xml"),
        ["page.js"] = (Read("page.js"), "text/javascript; charset=utf-8"),
    };

    /// <summary>Part of their address, so that they can be kept for ever.</summary>
    internal static string Hash { get; } = HashOf(Files.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => f.Value.Bytes));

    internal static async Task<PageAnswer> AnswerAsync(PageCall call)
    {
        if (call.Route("hash") != Hash || !Files.TryGetValue(call.Route("file"), out var file))
            throw ApiProblemException.NotFound("There is no such file.", "It may be that of another version.");
        call.Context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        call.Context.Response.Headers.Remove("Pragma");
        await ApiCall.WriteAsync(call.Context, StatusCodes.Status200OK, file.Type, file.Bytes).ConfigureAwait(false);
        return new PageAnswer.Written();
    }

    private static string HashOf(IEnumerable<byte[]> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (byte[] bytes in files)
            hash.AppendData(bytes);
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    private static byte[] Read(string name)
    {
        using var resource = typeof(PageAssets).Assembly.GetManifestResourceStream(name)!;
        using var lines = new StreamReader(resource);
        // Without comments and indentation, which only its authors read.
        var text = new StringBuilder();
        while (lines.ReadLine()?.Trim() is { } line)
        {
            if (line.Length > 0 && !line.StartsWith("//", StringComparison.Ordinal)
                && !(line.StartsWith("/*", StringComparison.Ordinal) && line.EndsWith("*/", StringComparison.Ordinal)))
                text.Append(line).Append('\n');
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
