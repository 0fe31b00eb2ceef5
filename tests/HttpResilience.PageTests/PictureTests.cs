using HttpResilience.PageTests.Browsing;
using Microsoft.Playwright;

namespace HttpResilience.PageTests;

/// <summary>
/// Pictures of the pages, to be looked at: in the folder <c>pictures</c> beside the tests, or in that of the environment variable
/// <c>HTTPRESILIENCE_PICTURES</c> (<c>docs/page</c> for the manual).
/// </summary>
public sealed class PictureTests(Browser browser)
{
    private static readonly string Folder =
        Environment.GetEnvironmentVariable("HTTPRESILIENCE_PICTURES") ?? Path.Combine(AppContext.BaseDirectory, "pictures");

    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task Every_page_is_drawn_without_a_word_on_the_console(int width, ColorScheme scheme)
    {
        await using var shop = await ShopPages.StartAsync();
        await using var window = await browser.OpenAsync(shop.Host, options: o =>
            (o.ViewportSize, o.ColorScheme) = (new() { Width = width, Height = width == 390 ? 844 : 800 }, scheme));
        foreach (var (name, path) in shop.All.Where(p => p.Name != "nowhere"))
        {
            var response = await window.GoAsync(path);
            response.Status.ShouldBe(200, path);
            await window.Page.ScreenshotAsync(new() { Path = Path.Combine(Folder, $"{name}-{width}-{scheme}.png".ToLowerInvariant()) });
        }

        window.Messages.ShouldBeEmpty();
    }
}
