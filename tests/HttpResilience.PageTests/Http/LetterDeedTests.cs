using System.Net;
using System.Text;

namespace HttpResilience.PageTests.Http;

/// <summary>What a person does to one letter by the forms of its page.</summary>
public sealed class LetterDeedTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task A_corrected_letter_takes_the_place_of_the_old_one_and_can_be_taken_back_for_five_seconds()
    {
        await using var host = await PageHost.StartAsync();
        var letter = ExampleLetters.Invoice(20417);
        await host.AddAsync(letter);
        using var client = new PageClient(host);
        string body = LetterBodyText.Of(letter).Text!;
        body = body.Replace("XX 999 99", "DE136695976", StringComparison.Ordinal);
        var corrected = await client.PostAsync($"letters/{letter.Id}/correct", Correction(letter, body));
        var id = IdOf(corrected.Location);
        id.ShouldNotBe(letter.Id);
        var now = (await host.Letters.FindAsync(id, Never))!;
        Encoding.UTF8.GetString(now.Body!.Value.Span).ShouldContain("DE136695976");
        (now.DueAt - DateTimeOffset.UtcNow).ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromSeconds(5));
        var page = (await client.GetAsync(corrected.Location)).ShouldBe(HttpStatusCode.OK);
        page.Text.ShouldContain("Sending in");
        page.Text.ShouldContain("takes the place of the old one");
        (await client.PostAsync($"letters/{id}/cancel", [("version", $"{now.Version}")])).Location
            .ShouldBe($"{PageHost.Prefix}/letters/{letter.Id}?did=cancelled");
        (await host.Letters.FindAsync(letter.Id, Never))!.Status.ShouldBe(DeadLetterStatus.RequiresReview);
    }

    [Fact]
    public async Task A_second_click_shows_the_result_of_the_first()
    {
        await using var host = await PageHost.StartAsync();
        var (sent, corrected, resolved) = (ExampleLetters.Invoice(1), ExampleLetters.Invoice(2), ExampleLetters.Invoice(3));
        await host.AddAsync(sent, corrected, resolved);
        using var client = new PageClient(host);
        string body = LetterBodyText.Of(corrected).Text!.Replace("EUR", "CHF", StringComparison.Ordinal);
        string first = (await client.PostAsync($"letters/{corrected.Id}/correct", Correction(corrected, body))).Location;
        IdOf((await client.PostAsync($"letters/{corrected.Id}/correct", Correction(corrected, body))).Location).ShouldBe(IdOf(first));
        foreach (var (letter, deed) in new[] { (sent, "send"), (resolved, "resolve") })
        {
            for (int click = 0; click < 2; click++)
                IdOf((await client.PostAsync($"letters/{letter.Id}/{deed}", [("version", "0")])).Location).ShouldBe(letter.Id);
            (await host.Letters.FindAsync(letter.Id, Never))!.Version.ShouldBe(1);
        }

        (await host.Letters.ListAsync(new(), Never)).Count.ShouldBe(4);
    }

    [Fact]
    public async Task Of_two_persons_at_once_the_second_sees_what_the_first_did_and_keeps_what_was_typed()
    {
        await using var host = await PageHost.StartAsync();
        var letter = ExampleLetters.Invoice(20417);
        await host.AddAsync(letter);
        using var olga = new PageClient(host);
        using var oskar = new PageClient(host, PageHost.Other);
        string _ = (await oskar.PostAsync($"letters/{letter.Id}/resolve", [("version", "0"), ("action", "Credited")])).Location;
        var second = (await olga.PostAsync($"letters/{letter.Id}/send", [("version", "0")])).ShouldBe(HttpStatusCode.Conflict);
        second.Text.ShouldContain("oskar: Credited");
        string typed = LetterBodyText.Of(letter).Text!.Replace("XX 999 99", "<typed by olga>", StringComparison.Ordinal);
        var correction = (await olga.PostAsync($"letters/{letter.Id}/correct", Correction(letter, typed)))
            .ShouldBe(HttpStatusCode.Conflict);
        correction.Text.ShouldContain("changed since you opened it");
        correction.Text.ShouldContain("by oskar");
        (await host.Letters.FindAsync(letter.Id, Never))!.Version.ShouldBe(1);
    }

    [Fact]
    public async Task What_is_typed_stays_when_the_letter_was_changed_and_is_still_open()
    {
        await using var host = await PageHost.StartAsync();
        var letter = ExampleLetters.Invoice(20417);
        await host.AddAsync(letter);
        using var olga = new PageClient(host);
        using var oskar = new PageClient(host, PageHost.Other);
        string _ = (await oskar.PostAsync($"letters/{letter.Id}/resolve", [("version", "0")])).Location;
        _ = (await oskar.PostAsync($"letters/{letter.Id}/reopen", [("version", "1")])).Location;
        string typed = LetterBodyText.Of(letter).Text!.Replace("XX 999 99", "DE136695976", StringComparison.Ordinal);
        var page = (await olga.PostAsync($"letters/{letter.Id}/correct", Correction(letter, typed))).ShouldBe(HttpStatusCode.Conflict);
        page.Html.ShouldContain("DE136695976");
        page.Html.ShouldContain("name=\"version\" value=\"2\"");
        IdOf((await olga.PostAsync($"letters/{letter.Id}/correct", Correction(letter with { Version = 2 }, typed))).Location)
            .ShouldNotBe(letter.Id);
    }

    [Theory]
    [InlineData("body", "{\"vatId\":", "It is not JSON")]
    [InlineData("method", "GE T", "not a method of HTTP")]
    [InlineData("address", "https://elsewhere.example/v1/invoices", "api.billing.example only")]
    [InlineData("address", "ftp://api.billing.example/", "absolute http or https")]
    [InlineData("address", "no address", "absolute http or https")]
    [InlineData("headers", "Content-Type: application/json\nBad Name: x", "not a token")]
    [InlineData("headers", "no colon", "no header field")]
    [InlineData("headers", "Content-Length: 7", "is set when the letter is sent")]
    public async Task What_is_not_valid_is_said_beside_the_field_and_everything_typed_is_kept(string field, string value, string message)
    {
        await using var host = await PageHost.StartAsync();
        var letter = ExampleLetters.Invoice(20417);
        await host.AddAsync(letter);
        using var client = new PageClient(host);
        var fields = Correction(letter, LetterBodyText.Of(letter).Text!.Replace("EUR", "CHF", StringComparison.Ordinal))
            .Select(f => f.Name == field ? (f.Name, value) : f).ToList();
        var page = (await client.PostAsync($"letters/{letter.Id}/correct", fields)).ShouldBe(HttpStatusCode.UnprocessableEntity);
        page.Text.ShouldContain(message);
        if (field != "body")
            page.Html.ShouldContain("CHF");
        page.Html.ShouldContain(WebUtility.HtmlEncode(value).Split('\n')[^1]);
        page.Html.ShouldContain("aria-invalid=\"true\"");
        (await host.Letters.FindAsync(letter.Id, Never))!.Version.ShouldBe(0);
    }

    [Fact]
    public async Task Nothing_changed_is_no_new_letter_and_a_check_shows_the_lines_that_differ()
    {
        await using var host = await PageHost.StartAsync();
        var letter = ExampleLetters.Invoice(20417);
        await host.AddAsync(letter);
        using var client = new PageClient(host);
        string body = LetterBodyText.Of(letter).Text!;
        // As a browser sends it.
        var same = await client.PostAsync($"letters/{letter.Id}/correct", Correction(letter, body.ReplaceLineEndings("\r\n")));
        same.ShouldBe(HttpStatusCode.OK).Text.ShouldContain("Nothing is changed");
        var check = (await client.PostAsync(
            $"letters/{letter.Id}/correct",
            [.. Correction(letter, body.Replace("XX 999 99", "<b>", StringComparison.Ordinal)), ("do", "check")]))
            .ShouldBe(HttpStatusCode.OK);
        check.Html.ShouldContain("<del>");
        check.Html.ShouldContain("&lt;b&gt;");
        check.Html.ShouldNotContain("<b>");
        (await host.Letters.ListAsync(new(), Never)).ShouldHaveSingleItem().Version.ShouldBe(0);
    }

    [Fact]
    public async Task What_may_have_been_processed_and_has_no_key_is_sent_only_by_who_has_looked()
    {
        await using var host = await PageHost.StartAsync();
        var letter = ExampleLetters.Uncertain(3);
        await host.AddAsync(letter);
        using var client = new PageClient(host);
        (await client.GetAsync($"letters/{letter.Id}")).Text.ShouldContain("I have looked; it is not there");
        (await client.PostAsync($"letters/{letter.Id}/send", [("version", "0")])).ShouldBe(HttpStatusCode.UnprocessableEntity).Text
            .ShouldContain("Look there first");
        (await host.Letters.FindAsync(letter.Id, Never))!.Version.ShouldBe(0);
        IdOf((await client.PostAsync($"letters/{letter.Id}/send", [("version", "0"), ("looked", "yes")])).Location).ShouldBe(letter.Id);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("1e3")]
    [InlineData("99999999999999999999")]
    public async Task A_form_without_a_valid_version_does_nothing(string version)
    {
        await using var host = await PageHost.StartAsync();
        var letter = ExampleLetters.Invoice(1);
        await host.AddAsync(letter);
        using var client = new PageClient(host);
        foreach (string deed in (string[])["send", "resolve", "reopen", "cancel", "correct"])
            ((int)(await client.PostAsync($"letters/{letter.Id}/{deed}", [("version", version)])).Status).ShouldBeInRange(400, 499);
        (await host.Letters.FindAsync(letter.Id, Never))!.Version.ShouldBe(0);
    }

    private static IReadOnlyList<(string Name, string Value)> Correction(DeadLetter letter, string body) =>
    [
        ("version", $"{letter.Version}"), ("body", body), ("method", letter.Method), ("address", letter.Uri.AbsoluteUri),
        ("headers", CorrectionForm.HeadersOf(letter).ReplaceLineEndings("\r\n")),
    ];

    private static Guid IdOf(string location) => Guid.Parse(location.Split('?')[0].Split('/')[^1]);
}
