using Microsoft.Playwright;

namespace HttpResilience.PageTests.Browsing;

/// <summary>Numbers stay fresh, and nothing that one is about to click moves.</summary>
public sealed class FreshNumbersTests(Browser browser)
{
    private const string ObserveShifts =
        """
        window.shift = 0;
        window.moved = "";
        new PerformanceObserver(list => {
          for (const e of list.getEntries()) {
            window.shift += e.value;
            window.moved += e.sources.map(s => s.node?.parentElement?.outerHTML?.slice(0, 150)).join(" | ");
          }
        }).observe({ type: "layout-shift", buffered: true });
        """;

    [Fact]
    public async Task Ten_refreshes_move_nothing_and_count_what_is_new()
    {
        await using var shop = await ShopPages.StartAsync();
        await using var window = await browser.OpenAsync(shop.Host);
        await window.Page.Clock.InstallAsync();
        await window.Page.AddInitScriptAsync(ObserveShifts);
        foreach (string path in (string[])["", "letters", $"groups/{shop.Invoice.Fingerprint}"])
        {
            await window.GoAsync(path);
            string before = await PlacesAsync(window);
            for (int i = 0; i < 10; i++)
            {
                var other = ExampleLetters.Outage(30_000 + i) with { ErrorTitle = $"Cause {path} {(char)('a' + i)}" };
                await shop.Host.AddAsync(ExampleLetters.Invoice(30_000 + i), other);
                await RefreshAsync(window);
            }

            (await PlacesAsync(window)).ShouldBe(before, path);
            string moved = await window.Page.EvaluateAsync<string>("window.moved");
            moved.ShouldBeEmpty(path);
            (await window.Page.EvaluateAsync<double>("window.shift")).ShouldBe(0, path);
            if (path.Length > 0 && path != $"groups/{shop.Invoice.Fingerprint}")
                (await window.Page.InnerTextAsync("[data-new]")).ShouldStartWith("10 new since");
        }

        window.Messages.ShouldBeEmpty();
    }

    [Fact]
    public async Task Nothing_is_refreshed_while_something_is_typed_or_updates_are_paused()
    {
        await using var shop = await ShopPages.StartAsync();
        await using var window = await browser.OpenAsync(shop.Host);
        await window.Page.Clock.InstallAsync();
        await window.GoAsync();
        string first = await window.Page.InnerTextAsync("[data-live=updated]");
        await window.Page.ClickAsync("[data-pause]");
        await window.Page.Clock.RunForAsync(60_000);
        (await window.Page.InnerTextAsync("[data-live=updated]")).ShouldBe(first);
        (await window.Page.InnerTextAsync("[data-pause]")).ShouldBe("Go on updating");
        await window.GoAsync($"letters/{shop.Invoice.Id}");
        await window.Page.FillAsync("#body", "typed");
        int asked = 0;
        window.Page.Request += (_, _) => asked++;
        await window.Page.Clock.RunForAsync(60_000);
        asked.ShouldBe(0);
        (await window.Page.InputValueAsync("#body")).ShouldBe("typed");
    }

    [Fact]
    public async Task An_answer_that_fails_or_is_a_sign_in_is_told_and_the_numbers_stay()
    {
        await using var shop = await ShopPages.StartAsync();
        await using var window = await browser.OpenAsync(shop.Host);
        await window.Page.Clock.InstallAsync();
        await window.GoAsync();
        string numbers = await window.Page.InnerTextAsync(".numbers");
        bool isAway = true;
        await window.Page.RouteAsync(
            "**/resilience", route => isAway ? route.FulfillAsync(new() { Status = 503, Body = "" }) : route.ContinueAsync());
        await window.Page.Clock.RunForAsync(10_000);
        await Assertions.Expect(window.Page.Locator("[data-stale]")).ToBeVisibleAsync();
        (await window.Page.InnerTextAsync("[data-stale]")).ShouldContain("the application does not answer");
        (await window.Page.InnerTextAsync(".numbers")).ShouldBe(numbers);
        isAway = false;
        await window.Page.Clock.RunForAsync(10_000);
        await Assertions.Expect(window.Page.Locator("[data-stale]")).ToBeHiddenAsync();
    }

    private static async Task RefreshAsync(Window window)
    {
        var answered = window.Page.WaitForResponseAsync(r => r.Request.ResourceType == "fetch");
        await window.Page.Clock.RunForAsync(10_000);
        await (await answered).FinishedAsync();
        // The exchange follows in the same turn of the page as the last of its promises.
        await window.Page.EvaluateAsync(
            "new Promise(r => { const c = new MessageChannel(); c.port1.onmessage = r; c.port2.postMessage(0); })");
    }

    private static Task<string> PlacesAsync(Window window) => window.Page.EvaluateAsync<string>(
        "[...document.querySelectorAll('a, button, input, select, textarea')].map(e => { const r = e.getBoundingClientRect(); "
        + "return `${r.x.toFixed(1)},${r.y.toFixed(1)},${r.height.toFixed(1)}`; }).join(' ')");
}
