namespace HttpResilience.PageTests.Browsing;

/// <summary>The clerk's way: one invoice of ten thousand is corrected and sent.</summary>
public sealed class ClerkTests(Browser browser)
{
    private const string Corrected = "{\n  \"number\": \"20600\",\n  \"vatId\": \"DE136695976\"\n}";

    [Fact]
    public async Task One_letter_of_ten_thousand_is_corrected_and_sent_in_five_clicks()
    {
        await using var shop = await ShopPages.StartAsync(invoices: 10_000);
        await using var window = await browser.OpenAsync(shop.Host);
        await window.GoAsync();
        var page = window.Page;
        int clicks = 0;
        await ClickAsync("a:has-text('Open the group')");
        await ClickAsync("a:has-text('Invoice 20600')");
        await ClickAsync("#body");
        await page.Keyboard.PressAsync("Control+A");
        await page.Keyboard.InsertTextAsync(Corrected);
        await ClickAsync("button:has-text('Send corrected')");
        clicks.ShouldBeLessThanOrEqualTo(5);
        (await page.InnerTextAsync("main")).ShouldContain("Sending in");
        await ShouldBeCorrectedAsync(shop);
        window.Messages.ShouldBeEmpty();

        async Task ClickAsync(string selector)
        {
            clicks++;
            await page.Locator(selector).First.ClickAsync();
        }
    }

    [Fact]
    public async Task The_same_is_done_by_the_keyboard_alone()
    {
        await using var shop = await ShopPages.StartAsync();
        await using var window = await browser.OpenAsync(shop.Host);
        // The page gives the second key of a pair 1.5 s, by the browser's clock.
        await window.Page.Clock.SetFixedTimeAsync(DateTime.UtcNow);
        await window.GoAsync();
        var keys = window.Page.Keyboard;
        await keys.PressAsync("g");
        await keys.PressAsync("l");
        await window.Page.WaitForURLAsync("**/letters");
        // The first group, then its newest letter, by their rows.
        await keys.PressAsync("j");
        await keys.PressAsync("Enter");
        await window.Page.WaitForURLAsync("**/groups/*");
        await keys.PressAsync("j");
        await keys.PressAsync("Enter");
        await window.Page.WaitForURLAsync("**/letters/*");
        await keys.PressAsync("e");
        await keys.PressAsync("Control+A");
        await keys.InsertTextAsync(Corrected);
        await TabToAsync(window, "Send corrected");
        await keys.PressAsync("Enter");
        await window.Page.WaitForURLAsync("**did=corrected");
        await ShouldBeCorrectedAsync(shop);
        window.Messages.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_group_is_sent_again_in_three_clicks_and_asks_once()
    {
        await using var shop = await ShopPages.StartAsync();
        await using var window = await browser.OpenAsync(shop.Host);
        await window.GoAsync($"groups/{shop.Invoice.Fingerprint}");
        await window.Page.ClickAsync("label:has-text('all 121')");
        await window.Page.ClickAsync("button:has-text('Send again…')");
        (await window.Page.InnerTextAsync("h1")).ShouldBe("Send 121 of 121 letters again?");
        await window.Page.ClickAsync("button:has-text('Send 121 again')");
        await window.Page.WaitForURLAsync("**/jobs/*");
        (await window.Page.InnerTextAsync("h1")).ShouldBe("Sending 121 again");
        (await window.Page.InnerTextAsync("main")).ShouldContain("Begun by olga");
        (await window.Page.InnerTextAsync("main")).ShouldContain("No instance sends letters again");
        await window.Page.ClickAsync("button:has-text('Stop')");
        (await window.Page.InnerTextAsync("main")).ShouldContain("Stopped by olga");
        window.Messages.ShouldBeEmpty();
    }

    private static async Task TabToAsync(Window window, string button)
    {
        for (int tabs = 0; tabs < 20; tabs++)
        {
            await window.Page.Keyboard.PressAsync("Tab");
            if (await window.Page.EvaluateAsync<string>("document.activeElement.textContent") == button)
                return;
        }

        Assert.Fail($"No way to {button} by Tab.");
    }

    private static async Task ShouldBeCorrectedAsync(ShopPages shop)
    {
        var letters = await shop.Host.Letters.ListAsync(new() { Limit = 1 }, TestContext.Current.CancellationToken);
        letters[0].Replaces.ShouldNotBeNull();
        System.Text.Encoding.UTF8.GetString(letters[0].Body!.Value.Span).ShouldBe(Corrected);
        var old = await shop.Host.Letters.FindAsync(letters[0].Replaces!.Value, TestContext.Current.CancellationToken);
        old!.Status.ShouldBe(DeadLetterStatus.Resubmitted);
    }
}
