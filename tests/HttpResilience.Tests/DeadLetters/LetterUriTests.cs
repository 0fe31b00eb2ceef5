namespace HttpResilience.Tests.DeadLetters;

public sealed class LetterUriTests
{
    private static readonly UriCreationOptions AsIs = new() { DangerousDisablePathAndQueryCanonicalization = true };

    [Theory]
    [InlineData("http://h/a/../%7Ed?q=%41", "http://h/~d?q=A"), InlineData("http://user:pw@h/a/../b", "http://h/b")]
    [InlineData("https://h:8443/%2e%2e/x//y", "https://h:8443/x//y"), InlineData("http://h?q=1", "http://h/?q=1")]
    public void A_letter_has_both_the_URI_and_the_characters_that_were_sent(string sent, string uri)
    {
        var kept = LetterUri.Of(new Uri(sent, AsIs), []);

        (kept.Uri.AbsoluteUri, kept.Original).ShouldBe((uri, sent.Replace("user:pw@", "", StringComparison.Ordinal)));
        LetterUri.AsSent(Letter(kept.Uri, kept.Original))!.PathAndQuery.ShouldBe(new Uri(sent, AsIs).PathAndQuery);
    }

    [Theory]
    [InlineData("http://h/a%2Fb?q=%C3%A9#f"), InlineData("http://user@h/x"), InlineData("https+http://catalog/a?b")]
    [InlineData("http://ü/ü")]
    public void The_URI_alone_is_enough_when_it_has_the_same_characters(string sent)
    {
        var kept = LetterUri.Of(new Uri(sent), []);

        (kept.Original, kept.Uri.UserInfo).ShouldBe((null, ""));
        kept.Uri.PathAndQuery.ShouldBe(new Uri(sent).PathAndQuery);
    }

    [Fact]
    public void Whatever_a_row_holds_is_sent_to_the_host_of_its_URI_or_not_at_all()
    {
        var random = new Random(14);
        const string Characters = "/.%2eE7~?#@:\\h \r\n\0üx1";
        var uri = new Uri("http://h/x");
        int sent = 0;
        for (int i = 0; i < 20_000; i++)
        {
            string text = "http://h" + new string(random.GetItems(Characters.AsSpan(), random.Next(8)));
            var ofRow = i % 2 == 0 && Uri.TryCreate(text, UriKind.Absolute, out var same) ? same : uri;
            if (LetterUri.AsSent(Letter(ofRow, text)) is not { } found)
                continue;
            sent++;
            (found.IdnHost, found.Port, found.UserInfo).ShouldBe((ofRow.IdnHost, ofRow.Port, ""));
            found.PathAndQuery.ShouldAllBe(c => c > ' ' && c <= '~');
        }

        sent.ShouldBeGreaterThan(100);
    }

    private static DeadLetter Letter(Uri uri, string? original) => new()
    {
        Id = Guid.CreateVersion7(),
        ClientName = "api",
        Method = "POST",
        Uri = uri,
        OriginalUri = original,
        FailureClass = FailureClass.Transient,
        StopReason = StopReason.AttemptsExhausted,
        FirstFailedAt = default,
        LastFailedAt = default,
        Status = DeadLetterStatus.Pending,
        DueAt = default,
    };
}
