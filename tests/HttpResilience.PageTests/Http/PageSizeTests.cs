using System.IO.Compression;
using System.Net;
using System.Text;

namespace HttpResilience.PageTests.Http;

/// <summary>What a page weighs: the budgets of a phone at night.</summary>
public sealed class PageSizeTests
{
    [Theory]
    [InlineData("style.css", 16 * 1024, 4 * 1024 + 512)]
    [InlineData("page.js", 3 * 1024, 1536)]
    [InlineData("icon.svg", 512, 512)]
    public async Task A_file_is_small(string file, int bytes, int compressed)
    {
        await using var host = await PageHost.StartAsync();
        using var client = new PageClient(host);
        var answer = (await client.GetAsync($"assets/{PageAssets.Hash}/{file}")).ShouldBe(HttpStatusCode.OK);
        ShouldBeAtMost(answer.Html, bytes, compressed, file);
    }

    [Fact]
    public async Task A_full_page_is_small_and_loads_nothing_else()
    {
        await using var host = await PageHost.StartAsync();
        await host.AddAsync(Enumerable.Range(20_000, 60).Select(i => ExampleLetters.Invoice(i)));
        await host.AddAsync(Enumerable.Range(1, 60).Select(i => ExampleLetters.Outage(i) with
        {
            ErrorTitle = $"Cause {(char)('a' + i % 26)}{(char)('a' + i / 26)}",
        }));
        using var client = new PageClient(host, PageHost.Staff);
        foreach (string path in (string[])["", "letters", "letters?view=list", $"groups/{ExampleLetters.Invoice(1).Fingerprint}"])
        {
            var page = (await client.GetAsync(path)).ShouldBe(HttpStatusCode.OK);
            ShouldBeAtMost(page.Html, (path == "letters" ? 84 : 56) * 1024, 5 * 1024 + 512, path);
            string[] loaded = [.. page.Html.Split(["<link ", "src=\""], StringSplitOptions.None).Skip(1).Select(p => p.Split('>')[0])];
            loaded.Length.ShouldBe(3, path);
            loaded.ShouldAllBe(l => l.Contains($"{PageHost.Prefix}/assets/", StringComparison.Ordinal), path);
        }
    }

    private static void ShouldBeAtMost(string text, int bytes, int compressed, string what)
    {
        byte[] raw = Encoding.UTF8.GetBytes(text);
        raw.Length.ShouldBeLessThanOrEqualTo(bytes, what);
        using var stream = new MemoryStream();
        using (var zip = new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true))
            zip.Write(raw);
        ((int)stream.Length).ShouldBeLessThanOrEqualTo(compressed, $"{what}, compressed");
        TestContext.Current.SendDiagnosticMessage("{0}: {1} bytes, {2} compressed", what, raw.Length, stream.Length);
    }
}
