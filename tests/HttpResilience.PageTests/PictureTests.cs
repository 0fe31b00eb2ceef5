namespace HttpResilience.PageTests;

/// <summary>Pictures of the pages, to be looked at.</summary>
public sealed class PictureTests(Browser browser)
{
    [Theory]
    [InlineData(1280, false)]
    [InlineData(390, true)]
    public async Task Every_page_is_drawn(int width, bool isDark)
    {
        await using var host = await PageHost.StartAsync();
        await host.AddAsync(Enumerable.Range(20398, 120).Select(i => ExampleLetters.Invoice(
            i, DateTimeOffset.UtcNow.AddMinutes(-3 * (20518 - i)), i % 3 == 0 ? "south-example" : "north-example")));
        await host.AddAsync(Enumerable.Range(1, 40).Select(i => ExampleLetters.Outage(i)));
        var uncertain = ExampleLetters.Uncertain(7);
        var invoice = ExampleLetters.Invoice(20600);
        await host.AddAsync(uncertain, invoice);
        await using var window = await browser.OpenAsync(host, options: o =>
        {
            o.ViewportSize = new() { Width = width, Height = 900 };
            o.ColorScheme = isDark ? Microsoft.Playwright.ColorScheme.Dark : Microsoft.Playwright.ColorScheme.Light;
        });
        string folder = Path.Combine(AppContext.BaseDirectory, "pictures", $"{width}{(isDark ? "-dark" : "")}");
        Directory.CreateDirectory(folder);
        foreach (var (name, path) in new[]
        {
            ("overview", ""), ("letters", "letters"), ("list", "letters?view=list"), ("group", $"groups/{invoice.Fingerprint}"),
            ("letter", $"letters/{invoice.Id}"), ("uncertain", $"letters/{uncertain.Id}"),
            ("ask", $"groups/{invoice.Fingerprint}/send?many=100&rate=5&stops=yes"), ("clients", "clients"), ("activity", "activity"),
            ("help", "help"),
        })
        {
            var response = await window.GoAsync(path);
            response.Status.ShouldBe(200, path);
            await window.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png"), FullPage = true });
        }

        window.Messages.ShouldBeEmpty();
    }
}
