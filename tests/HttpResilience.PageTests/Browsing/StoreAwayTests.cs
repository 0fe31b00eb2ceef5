using System.Net;
using HttpResilience.PageTests.Http;
using Microsoft.Playwright;

namespace HttpResilience.PageTests.Browsing;

/// <summary>A store that goes away under an open page, and comes back.</summary>
public sealed class StoreAwayTests(Browser browser)
{
    private bool _isAway;

    [Fact]
    public async Task The_pages_say_that_the_store_is_away_and_go_on_when_it_is_back()
    {
        await using var storage = new InMemoryStorage { Intercept = Intercept };
        await using var host = await PageHost.StartAsync(s => s.UseInMemory(storage));
        var letter = ExampleLetters.Invoice(20417);
        await host.AddAsync(letter);
        using var client = new PageClient(host);
        await using var window = await browser.OpenAsync(host);
        await window.Page.Clock.InstallAsync();
        await window.GoAsync();

        _isAway = true;
        string[] paths = ["letters", "letters?view=list", $"letters/{letter.Id}", $"groups/{letter.Fingerprint}", "activity"];
        foreach (string path in paths)
        {
            var away = (await client.GetAsync(path)).ShouldBe(HttpStatusCode.ServiceUnavailable);
            away.Text.ShouldContain("The store does not answer");
            away.Html.ShouldNotContain("method=\"post\"");
        }

        (await client.GetAsync("clients")).ShouldBe(HttpStatusCode.OK);
        var overview = (await client.GetAsync()).ShouldBe(HttpStatusCode.OK);
        overview.Text.ShouldContain("The store does not answer");
        overview.Text.ShouldContain("could not be counted");
        (await client.PostAsync($"letters/{letter.Id}/resolve", [("version", "0"), ("notes", "typed")]))
            .ShouldBe(HttpStatusCode.ServiceUnavailable);

        await window.GoAsync("letters");
        (await window.Page.InnerTextAsync("h1")).ShouldBe("The store does not answer");
        _isAway = false;
        await window.Page.Clock.RunForAsync(10_000);
        await Assertions.Expect(window.Page.Locator("h1")).ToHaveTextAsync("Letters");
        (await host.Letters.FindAsync(letter.Id, TestContext.Current.CancellationToken))!.Version.ShouldBe(0);
    }

    private Task Intercept(InMemoryOperation operation, Func<Task> run) =>
        _isAway ? throw new HttpResilienceStorageException("The store is away.") : run();
}
