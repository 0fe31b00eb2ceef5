using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace HttpResilience.PageTests.Browsing;

/// <summary>The pages for everybody: assistive technology, narrow windows, no script, forced colours.</summary>
public sealed class AccessibilityTests(Browser browser)
{
    private static readonly AxeRunOptions Rules = new()
    {
        RunOnly = new()
        {
            Type = "tag",
            Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        },
    };

    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task Axe_finds_nothing_on_any_page(int width, ColorScheme scheme)
    {
        await using var shop = await ShopPages.StartAsync();
        await using var window = await browser.OpenAsync(shop.Host, options: o =>
        {
            (o.ViewportSize, o.ColorScheme) = (new() { Width = width, Height = 900 }, scheme);
            // Axe is put into the page by a script, which its own policy would refuse.
            o.BypassCSP = true;
        });
        List<string> found = [];
        foreach (var (name, path) in shop.All)
        {
            await window.GoAsync(path);
            var result = await window.Page.RunAxe(Rules);
            found.AddRange(result.Violations.SelectMany(
                v => v.Nodes.Select(n => $"{name}: {v.Id}: {v.Help}: {n.Html[..Math.Min(200, n.Html.Length)]}")));
        }

        found.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(320)]
    [InlineData(390)]
    [InlineData(1280)]
    public async Task No_page_scrolls_sideways(int width)
    {
        await using var shop = await ShopPages.StartAsync();
        await using var window = await browser.OpenAsync(shop.Host, options: o => o.ViewportSize = new() { Width = width, Height = 800 });
        foreach (var (name, path) in shop.All)
        {
            await window.GoAsync(path);
            int wide = await window.Page.EvaluateAsync<int>("document.documentElement.scrollWidth");
            string widest = await window.Page.EvaluateAsync<string>(
                "[...document.querySelectorAll('main *, header *, footer *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
                + ".map(e => e.outerHTML.slice(0, 80)).slice(0, 5).join(' | ')");
            wide.ShouldBeLessThanOrEqualTo(width, $"{name}: {widest}");
        }
    }

    [Fact]
    public async Task Without_script_a_letter_is_found_corrected_and_sent()
    {
        await using var shop = await ShopPages.StartAsync();
        await using var window = await browser.OpenAsync(shop.Host, options: o => o.JavaScriptEnabled = false);
        await window.GoAsync();
        await window.Page.ClickAsync("text=Open the group");
        await window.Page.ClickAsync("text=Invoice 20600");
        await window.Page.FillAsync("#body", """{"vatId":"DE136695976"}""");
        await window.Page.ClickAsync("text=Send corrected");
        (await window.Page.InnerTextAsync("main")).ShouldContain("Sending in");
        (await shop.Host.Letters.FindAsync(shop.Invoice.Id, TestContext.Current.CancellationToken))!.Status
            .ShouldBe(DeadLetterStatus.Resubmitted);
    }

    [Fact]
    public async Task With_forced_colours_each_state_still_has_its_shape()
    {
        await using var shop = await ShopPages.StartAsync();
        await using var window = await browser.OpenAsync(shop.Host, options: o => o.ForcedColors = ForcedColors.Active);
        await window.GoAsync();
        string[] kinds = await window.Page.EvaluateAsync<string[]>(
            """
            [...document.querySelectorAll(".is")].map(e => {
              const s = getComputedStyle(e, "::before");
              return s.backgroundColor !== getComputedStyle(document.body).backgroundColor || s.borderTopWidth !== "0px"
                || s.backgroundImage !== "none" ? "" : e.className;
            })
            """);
        kinds.ShouldAllBe(kind => kind.Length == 0);
        kinds.Length.ShouldBeGreaterThan(4);
    }

    [Fact]
    public async Task Each_page_has_one_heading_landmarks_and_a_link_past_the_navigation()
    {
        await using var shop = await ShopPages.StartAsync();
        await using var window = await browser.OpenAsync(shop.Host);
        foreach (var (name, path) in shop.All)
        {
            await window.GoAsync(path);
            (await window.Page.Locator("h1").CountAsync()).ShouldBe(1, name);
            (await window.Page.Locator("main").CountAsync()).ShouldBe(1, name);
            (await window.Page.Locator("header nav").CountAsync()).ShouldBe(1, name);
            await window.Page.Keyboard.PressAsync("Tab");
            (await window.Page.EvaluateAsync<string>("document.activeElement.className")).ShouldBe("skip hidden", name);
            await window.Page.Keyboard.PressAsync("Enter");
            (await window.Page.EvaluateAsync<string>("document.activeElement.id")).ShouldBe("main", name);
        }
    }
}
