using System.Net;
using System.Text;

namespace HttpResilience.PageTests.Http;

/// <summary>What comes from outside is text, never markup, and never longer than its place.</summary>
public sealed class HostileLetterTests(Browser browser)
{
    private static readonly string[] Texts =
    [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)", "</textarea><script>alert(1)</script>",
        "</title><script>alert(1)</script>", "javascript:alert(1)", "{{constructor.constructor('alert(1)')()}}", "@Model.Secret",
        "&lt;b&gt;", "a\r\nSet-Cookie: x=1\r\n\r\n<b>", "\u202Etxt.exe", "a\0b", "\u001B[31mred", new string('x', 20_000),
        string.Concat(Enumerable.Repeat("<b>", 5_000)),
        "😀\u200D👩\u200D👧", "\uFEFFbom", "<!--", "]]>", "%3Cscript%3E",
    ];

    [Fact]
    public async Task Two_hundred_hostile_letters_run_nothing_and_break_nothing()
    {
        await using var host = await PageHost.StartAsync();
        var letters = Enumerable.Range(0, 200).Select(i => Hostile(i, Texts[i % Texts.Length])).ToList();
        await host.AddAsync(letters);
        await using var window = await browser.OpenAsync(host, options: o => o.ViewportSize = new() { Width = 390, Height = 800 });
        string[] paths =
        [
            "", "letters", "letters?view=list", "activity", .. letters.Take(Texts.Length * 2).Select(l => $"letters/{l.Id}"),
            .. letters.Take(Texts.Length).Select(l => $"groups/{l.Fingerprint}"),
            .. Texts.Where(t => t.Length < 1000).Select(Uri.EscapeDataString).Select(t => $"letters?text={t}&client={t}&tag={t}"),
        ];
        foreach (string path in paths)
        {
            var response = await window.GoAsync(path);
            response.Status.ShouldBe(200, path);
            const string Markup = "main script, main img, main iframe, [onerror], [onmouseover], main b";
            (await window.Page.Locator(Markup).CountAsync()).ShouldBe(0, path);
            (await window.Page.EvaluateAsync<int>("document.documentElement.scrollWidth")).ShouldBeLessThanOrEqualTo(390, path);
        }

        window.Messages.ShouldBeEmpty();
    }

    [Fact]
    public async Task Hostile_fields_of_forms_are_answered_with_the_same_form_or_an_error()
    {
        await using var host = await PageHost.StartAsync();
        var letter = ExampleLetters.Invoice(1);
        await host.AddAsync(letter);
        using var client = new PageClient(host);
        // Those that are a valid header field or method change the letter.
        foreach (string text in Texts.Where(t => !t.StartsWith("javascript:", StringComparison.Ordinal) && t[0] != '%'))
        {
            foreach (string field in (string[])["body", "method", "address", "headers"])
            {
                var page = await client.PostAsync($"letters/{letter.Id}/correct",
                [
                    ("version", "0"), ("body", field == "body" ? text : "{}"), ("method", field == "method" ? text : "POST"),
                    ("address", field == "address" ? text : letter.Uri.AbsoluteUri),
                    ("headers", field == "headers" ? text : CorrectionForm.HeadersOf(letter)),
                ]);
                // No form may hold a NUL.
                var status = text.Contains('\0', StringComparison.Ordinal) ? HttpStatusCode.BadRequest : HttpStatusCode.UnprocessableEntity;
                page.Status.ShouldBe(status, $"{field}: {text[..Math.Min(40, text.Length)]}");
                page.Html.ShouldNotContain("<script>alert");
                page.Html.ShouldNotContain("<img");
            }
        }

        foreach (var (name, value) in new[]
        {
            ("many", "-1"), ("many", "1e9"), ("rate", "NaN"), ("rate", "-5"), ("rate", "1e300"), ("once", "x"), ("counted", "-1"),
            ("typed", "<b>"), ("stops", "maybe"), ("uncertain", "1"), ("many", "99999999999"),
        })
        {
            var page = await client.PostAsync($"groups/{letter.Fingerprint}/send", [(name, value)]);
            ((int)page.Status).ShouldBeLessThan(500, $"{name}={value}");
        }

        (await host.Letters.FindAsync(letter.Id, TestContext.Current.CancellationToken))!.Version.ShouldBe(0);
    }

    [Theory]
    [InlineData("https://elsewhere.example")]
    [InlineData("//elsewhere.example")]
    [InlineData("/\\elsewhere.example")]
    [InlineData("letters\r\nSet-Cookie: x=1")]
    [InlineData("javascript:alert(1)")]
    [InlineData("letters\u202E")]
    public async Task A_choice_goes_back_to_the_page_and_nowhere_else(string back)
    {
        await using var host = await PageHost.StartAsync();
        using var client = new PageClient(host);
        var answer = await client.GetAsync($"choose?theme=dark&back={Uri.EscapeDataString(back)}");
        answer.Location.ShouldStartWith(PageHost.Prefix);
        new Uri(host.Address, answer.Location).Host.ShouldBe(host.Address.Host);
        answer["Set-Cookie"]!.ShouldContain("hr-theme=dark");
    }

    [Theory]
    [InlineData("hr-zone=../../etc/passwd")]
    [InlineData("hr-zone=Europe/Nowhere")]
    [InlineData("hr-zone=%00; hr-theme=<b>; hr-times=x")]
    [InlineData("hr-zone=Pacific/Kiritimati; hr-times=mine; hr-theme=dark")]
    public async Task Cookies_that_are_not_known_are_ignored(string cookies)
    {
        await using var host = await PageHost.StartAsync();
        using var client = new PageClient(host);
        (await client.GetAsync("letters", ("Cookie", cookies))).ShouldBe(HttpStatusCode.OK);
    }

    private static DeadLetter Hostile(int number, string text) =>
        ExampleLetters.Invoice(number, DateTimeOffset.UtcNow.AddMinutes(-number)) with
        {
            ErrorTitle = text,
            ErrorDetail = text + text,
            Tenant = text,
            SuggestedAction = text,
            IdempotencyKey = text,
            Tags = new Dictionary<string, string> { [$"t{text[..Math.Min(50, text.Length)]}"] = text, ["document"] = text },
            LeftOut = [text],
            Headers = [new("Content-Type", number % 2 == 0 ? "application/json" : text), new("X-Text", text)],
            Body = number % 3 == 0 ? Enumerable.Range(0, 5000).Select(i => (byte)i).ToArray() : Encoding.UTF8.GetBytes(text),
            History = [new(LetterEventKind.Failed, DateTimeOffset.UtcNow) { Title = text, By = text, Instance = text, Notes = text }],
        };
}
