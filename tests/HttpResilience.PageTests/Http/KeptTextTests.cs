using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.PageTests.Http;

/// <summary>What nobody has changed stays as it is, and what somebody has typed is never lost.</summary>
public sealed class KeptTextTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Theory]
    [InlineData("{\"note\":\"a\u2028b\",\"vatId\":\"x\"}")]
    [InlineData("{\"note\":\"a\u0085b\",\"vatId\":\"x\"}")]
    [InlineData("{\r\n\"vatId\":\"x\"\r\n}")]
    [InlineData("{\n\"vatId\":\"x\"\n}")]
    public async Task A_body_comes_back_as_it_was_but_for_what_was_typed(string body)
    {
        await using var host = await PageHost.StartAsync();
        var letter = ExampleLetters.Invoice(1) with { Body = Encoding.UTF8.GetBytes(body) };
        await host.AddAsync(letter);
        using var client = new PageClient(host);
        // As a browser sends it.
        string shown = FormText.Lines(LetterBodyText.Of(letter).Text!).Replace("\n", "\r\n", StringComparison.Ordinal);
        (await client.PostAsync($"letters/{letter.Id}/correct", Fields(letter, shown))).ShouldBe(HttpStatusCode.OK).Text
            .ShouldContain("Nothing is changed");
        var answer = await client.PostAsync(
            $"letters/{letter.Id}/correct", Fields(letter, shown.Replace("\"x\"", "\"y\"", StringComparison.Ordinal)));
        var corrected = (await host.Letters.FindAsync(Guid.Parse(answer.Location.Split('?')[0].Split('/')[^1]), Never))!;
        string now = Encoding.UTF8.GetString(corrected.Body!.Value.Span);
        string expected = LetterBodyText.Of(letter).Text!.Replace("\"x\"", "\"y\"", StringComparison.Ordinal);
        now.ShouldBe(expected);
    }

    [Theory]
    [InlineData("a\r\nb\nc", "text/plain")]
    [InlineData("a\rb", "text/plain")]
    [InlineData("text", "text/plain; charset=utf-7")]
    [InlineData("text", "text/plain; charset=x-user-defined")]
    public async Task A_body_that_a_form_would_change_has_no_editor(string body, string contentType)
    {
        await using var host = await PageHost.StartAsync();
        var letter = ExampleLetters.Invoice(1) with
        {
            Body = Encoding.UTF8.GetBytes(body),
            Headers = [new("Content-Type", contentType)],
        };
        await host.AddAsync(letter);
        using var client = new PageClient(host);
        var page = (await client.GetAsync($"letters/{letter.Id}")).ShouldBe(HttpStatusCode.OK);
        page.Html.ShouldNotContain("id=\"body\"");
        page.Html.ShouldContain("type=\"file\"");
    }

    [Fact]
    public void Deep_json_is_not_made_long()
    {
        string deep = string.Concat(Enumerable.Repeat("[", 60)) + string.Join(',', Enumerable.Repeat("1", 50_000))
            + string.Concat(Enumerable.Repeat("]", 60));
        LetterBodyText.Of(ExampleLetters.Invoice(1) with { Body = Encoding.UTF8.GetBytes(deep) }).Text.ShouldBe(deep);
    }

    [Fact]
    public async Task What_was_typed_is_shown_when_another_has_settled_the_letter()
    {
        await using var host = await PageHost.StartAsync();
        var letter = ExampleLetters.Invoice(1);
        await host.AddAsync(letter);
        using var olga = new PageClient(host);
        using var oskar = new PageClient(host, PageHost.Other);
        _ = (await oskar.PostAsync($"letters/{letter.Id}/resolve", [("version", "0")])).Location;
        (await olga.PostAsync($"letters/{letter.Id}/correct", Fields(letter, "{\"typed\":1}"))).ShouldBe(HttpStatusCode.Conflict).Html
            .ShouldContain("{&quot;typed&quot;:1}");
    }

    [Fact]
    public async Task What_was_typed_is_kept_when_the_store_is_away_and_when_it_was_too_often()
    {
        bool isAway = false;
        await using var storage = new InMemoryStorage
        {
            Intercept = (_, run) => isAway ? throw new HttpResilienceStorageException("away") : run(),
        };
        await using var host = await PageHost.StartAsync(s => s.UseInMemory(storage), o => o.PostsPerMinute = 2);
        var letter = ExampleLetters.Invoice(1);
        await host.AddAsync(letter);
        using var client = new PageClient(host);
        var fields = Fields(letter, "{\n\"typed\":1\n}");
        isAway = true;
        var away = (await client.PostAsync($"letters/{letter.Id}/correct", fields)).ShouldBe(HttpStatusCode.ServiceUnavailable);
        away.Html.ShouldContain("&quot;typed&quot;:1");
        away.Text.ShouldContain("Send it once more");
        isAway = false;
        // What changes nothing is not counted.
        for (int i = 0; i < 3; i++)
            (await client.PostAsync($"letters/{letter.Id}/correct", [.. fields, ("do", "check")])).ShouldBe(HttpStatusCode.OK);
        _ = await client.PostAsync($"letters/{Guid.NewGuid()}/send", []);
        var often = (await client.PostAsync($"letters/{letter.Id}/correct", fields)).ShouldBe(HttpStatusCode.TooManyRequests);
        often.Html.ShouldContain("&quot;typed&quot;:1");
        (await client.PostAsync($"letters/{letter.Id}/cancel", [("version", "0")])).ShouldBe(HttpStatusCode.Conflict);
        (await client.PostAsync($"jobs/{Guid.CreateVersion7()}/stop", [])).ShouldBe(HttpStatusCode.NotFound);
        (await host.Letters.FindAsync(letter.Id, Never))!.Version.ShouldBe(0);
    }

    [Fact]
    public async Task Bodies_that_nobody_may_see_are_on_no_page_and_viewers_see_json_with_secrets_struck_out()
    {
        var letter = ExampleLetters.Invoice(1) with { Body = Encoding.UTF8.GetBytes("""{"password":"hunter2","number":"20417"}""") };
        await using var host = await PageHost.StartAsync(options: o => o.ShowBodies = BodyVisibility.Nobody);
        await using var usual = await PageHost.StartAsync();
        await host.AddAsync(letter);
        await usual.AddAsync(letter);
        using var olga = new PageClient(host);
        var page = (await olga.GetAsync($"letters/{letter.Id}")).ShouldBe(HttpStatusCode.OK);
        page.Text.ShouldContain("to nobody");
        page.Html.ShouldNotContain("hunter2");
        page.Html.ShouldNotContain("20417");
        var check = await olga.PostAsync($"letters/{letter.Id}/correct", [.. Fields(letter, ""), ("method", "PUT"), ("do", "check")]);
        check.Html.ShouldNotContain("hunter2");
        using var anna = new PageClient(usual, PageHost.Staff);
        page = (await anna.GetAsync($"letters/{letter.Id}")).ShouldBe(HttpStatusCode.OK);
        page.Html.ShouldNotContain("hunter2");
        page.Text.ShouldContain("\"password\":\"***\"");
        page.Text.ShouldContain("20417");
    }

    [Fact]
    public async Task A_file_takes_the_place_of_a_body_and_a_broken_form_is_refused()
    {
        await using var host = await PageHost.StartAsync();
        var letter = ExampleLetters.Invoice(1) with { Body = new byte[] { 0xFF, 0 }, Headers = [new("Content-Type", "application/pdf")] };
        await host.AddAsync(letter);
        using var client = new PageClient(host);
        using var form = new MultipartFormDataContent
        {
            { new StringContent(await client.TokenAsync()), "__RequestVerificationToken" }, { new StringContent("0"), "version" },
            { new StringContent("POST"), "method" }, { new StringContent(letter.Uri.AbsoluteUri), "address" },
            { new StringContent(CorrectionForm.HeadersOf(letter)), "headers" }, { new ByteArrayContent([1, 2, 3]), "file", "invoice.pdf" },
        };
        var address = new Uri($"letters/{letter.Id}/correct", UriKind.Relative);
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = form };
        string location = (await client.SendAsync(request)).Location;
        var corrected = await host.Letters.FindAsync(Guid.Parse(location.Split('?')[0].Split('/')[^1]), Never);
        corrected!.Body!.Value.ToArray().ShouldBe([1, 2, 3]);
        using var broken = new ByteArrayContent("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx"u8.ToArray());
        broken.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b");
        using var again = new HttpRequestMessage(HttpMethod.Post, address) { Content = broken };
        (await client.SendAsync(again)).ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_group_goes_on_after_a_thousand_letters_and_other_reasons_lead_to_their_letters()
    {
        await using var host = await PageHost.StartAsync();
        await host.AddAsync(Enumerable.Range(1, 1060).Select(i => ExampleLetters.Invoice(i) with { Id = Guid.CreateVersion7() }));
        await host.AddAsync(Enumerable.Range(1, 230).Select(i => ExampleLetters.Outage(1001) with
        {
            Id = Guid.CreateVersion7(),
            ErrorTitle = $"Cause {(char)('a' + i / 26)}{(char)('a' + i % 26)}",
        }));
        using var client = new PageClient(host, PageHost.Staff);
        var letters = await host.Letters.ListAsync(new() { ClientName = "billing", Limit = 1000 }, Never);
        string group = letters[0].Fingerprint;
        var page = (await client.GetAsync($"groups/{group}?before={letters[^1].Id}")).ShouldBe(HttpStatusCode.OK);
        page.Html.Split("data-row=").Length.ShouldBe(51);
        page.Text.ShouldContain("Older letters");
        var groups = (await client.GetAsync("letters?client=customers")).ShouldBe(HttpStatusCode.OK);
        groups.Text.ShouldContain("Other reasons");
        groups.Html.ShouldNotContain("/groups/\"");
    }

    [Fact]
    public async Task A_second_change_of_a_group_shows_the_first_and_what_was_marked_is_reopened_by_one_click()
    {
        await using var host = await PageHost.StartAsync();
        await host.AddAsync(Enumerable.Range(1, 5).Select(i => ExampleLetters.Invoice(i)));
        string group = ExampleLetters.Invoice(1).Fingerprint;
        using var olga = new PageClient(host);
        using var oskar = new PageClient(host, PageHost.Other);
        (string, string)[] Form() => [("many", "all"), ("counted", "5"), ("once", $"{Guid.CreateVersion7()}"), ("stops", "yes")];
        string first = (await olga.PostAsync($"groups/{group}/resolve", Form())).Location;
        string second = (await oskar.PostAsync($"groups/{group}/resolve", Form())).Location;
        second.Split('?').ShouldBe([first.Split('?')[0], "did=already"]);
        (await oskar.GetAsync(second)).Text.ShouldContain("under way already");
        var id = Guid.Parse(first.Split('?')[0].Split('/')[^1]);
        (await olga.PostAsync($"jobs/{id}/undo", [])).ShouldBe(HttpStatusCode.Conflict);
        _ = (await olga.PostAsync($"jobs/{id}/stop", [])).Location;
        (await olga.GetAsync($"jobs/{id}")).Text.ShouldContain("Reopen 0 letters");
    }

    [Fact]
    public async Task The_client_of_alerts_cannot_be_paused_and_a_choice_does_not_leave_the_prefix()
    {
        await using var host = await PageHost.StartAsync(configure: builder => builder.Services.AddHttpResilienceOperations());
        using var olga = new PageClient(host);
        (await olga.GetAsync("clients/HttpResilience.Alerts")).ShouldBe(HttpStatusCode.OK).Text.ShouldNotContain("Pause HttpResilience");
        (await olga.GetAsync("choose?theme=dark&back=../sign-out")).Location.ShouldBe(PageHost.Prefix);
        await using var root = await PageHost.StartAsync(map: app => app.MapHttpResilience("/").RequireAuthorization("staff"));
        using var client = new PageClient(root);
        foreach (string path in (string[])["/", "/letters", "/nowhere"])
            (await client.GetAsync(path)).Html.ShouldNotContain("href=\"//");
    }

    private static IReadOnlyList<(string Name, string Value)> Fields(DeadLetter letter, string body) =>
    [
        ("version", "0"), ("body", body), ("method", letter.Method), ("address", letter.Uri.AbsoluteUri),
        ("headers", CorrectionForm.HeadersOf(letter)),
    ];
}
