using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.PageTests.Http;

/// <summary>What the page says when there is nothing to show, or something else than expected.</summary>
public sealed class PageStateTests
{
    [Fact]
    public async Task Nothing_is_there_yet()
    {
        await using var host = await PageHost.StartAsync();
        using var client = new PageClient(host, PageHost.Staff);
        (await client.GetAsync()).Text.ShouldContain("All is well: nothing needs anyone");
        (await client.GetAsync("letters")).Text.ShouldContain("No letter is kept. A request that fails for good will appear here.");
        (await client.GetAsync("letters?view=list")).Text.ShouldContain("No letter is kept.");
        (await client.GetAsync("activity")).Text.ShouldContain("Nobody has done anything yet.");
        (await client.GetAsync("clients")).Text.ShouldContain("no resilient client");
        (await client.GetAsync("batches")).Text.ShouldContain("No batch has a checkpoint");
    }

    [Theory]
    [InlineData("letters?tenant=nobody", "No letter fits.", "2 do without the filter.")]
    [InlineData("letters?view=list&tenant=nobody", "No letter fits.", "2 do without the filter.")]
    [InlineData("letters?code=abc&tenant=nobody", "Ignored, as it is not valid:", "code : It is a status of HTTP")]
    [InlineData("letters?colour=red", "Ignored, as it is not valid:", "colour : There is no such word")]
    public async Task A_filter_that_finds_nothing_or_is_not_valid_says_so(string path, params string[] texts)
    {
        await using var host = await PageHost.StartAsync();
        await host.AddAsync(ExampleLetters.Invoice(1), ExampleLetters.Invoice(2));
        using var client = new PageClient(host, PageHost.Staff);
        string page = (await client.GetAsync(path)).ShouldBe(HttpStatusCode.OK).Text;
        foreach (string text in texts)
            page.ShouldContain(text);
    }

    [Fact]
    public async Task A_letter_that_is_gone_and_a_group_without_open_letters_are_told()
    {
        await using var host = await PageHost.StartAsync();
        var letter = ExampleLetters.Invoice(1);
        await host.AddAsync(letter);
        using var olga = new PageClient(host);
        _ = (await olga.PostAsync($"letters/{letter.Id}/resolve", [("version", "0")])).Location;
        var group = (await olga.GetAsync($"groups/{letter.Fingerprint}")).ShouldBe(HttpStatusCode.OK);
        group.Text.ShouldContain("No letter of this cause is open");
        group.Html.ShouldNotContain("Send again…");
        var gone = Guid.CreateVersion7();
        (await olga.GetAsync($"letters/{gone}")).ShouldBe(HttpStatusCode.NotFound).Text.ShouldContain($"There is no letter {gone}");
    }

    [Fact]
    public async Task Nobody_sends_letters_is_said_where_they_wait()
    {
        await using var host = await PageHost.StartAsync();
        await host.AddAsync(ExampleLetters.Outage(1001));
        using var client = new PageClient(host, PageHost.Staff);
        (await client.GetAsync()).Text.ShouldContain("No instance sends letters again");
        await using var sending = await PageHost.StartAsync(configure: builder =>
        {
            builder.Services.AddResilientHttpClient("customers", o => o.DeadLetter.Enabled = true);
            builder.Services.AddDeadLetterReplay();
        });
        await sending.AddAsync(ExampleLetters.Outage(1001));
        using var other = new PageClient(sending, PageHost.Staff);
        (await other.GetAsync()).Text.ShouldNotContain("No instance sends letters again");
    }

    [Fact]
    public async Task A_letter_of_a_missing_key_and_one_without_its_body_have_no_editor_and_say_why()
    {
        await using var host = await PageHost.StartAsync();
        var missing = ExampleLetters.Invoice(1) with { Body = null, BodyIsMissing = true };
        var binary = ExampleLetters.Invoice(2) with { Body = new byte[] { 0xFF, 0xFE, 0 } };
        await host.AddAsync(missing, binary);
        using var olga = new PageClient(host);
        var page = (await olga.GetAsync($"letters/{missing.Id}")).ShouldBe(HttpStatusCode.OK);
        page.Text.ShouldContain("give the one to send");
        page.Html.ShouldContain("type=\"file\"");
        page = (await olga.GetAsync($"letters/{binary.Id}")).ShouldBe(HttpStatusCode.OK);
        page.Text.ShouldContain("FFFE00");
        page.Html.ShouldNotContain("id=\"body\"");
    }

    [Fact]
    public async Task A_time_zone_is_followed_until_the_reader_wants_utc()
    {
        await using var host = await PageHost.StartAsync();
        using var client = new PageClient(host, PageHost.Staff);
        (await client.GetAsync("", ("Cookie", "hr-zone=Asia%2FKathmandu"))).Text.ShouldContain("UTC+05:45");
        (await client.GetAsync("", ("Cookie", "hr-zone=Asia%2FKathmandu; hr-times=utc"))).Text.ShouldNotContain("UTC+05:45");
        (await client.GetAsync("", ("Cookie", "hr-theme=dark"))).Html.ShouldContain("data-theme=\"dark\"");
    }
}
