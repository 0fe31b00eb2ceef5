using HttpResilience.Operators;

namespace HttpResilience.IntegrationTests.AspNetCore;

/// <summary>The words of a filter, as they become a query.</summary>
public sealed class LetterFilterTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 28, 3, 10, 0, TimeSpan.Zero);

    [Fact]
    public void Every_word_is_in_the_query()
    {
        var id = Guid.NewGuid();

        var filter = Parse(
            ("status", "needs-person,waiting"), ("client", "billing"), ("tenant", "t1"), ("host", "API.example.com"), ("method", "POST"),
            ("class", "rate-limited"), ("code", "429"), ("text", "too many"), ("tag", "docType:invoice:7"), ("since", "24h"),
            ("until", "2026-11-28T01:00:00+01:00"), ("group", "0123456789abcdef01234567"), ("before", $"{id}"));

        filter.Problems.ShouldBeEmpty();
        filter.Statuses.ShouldBe([DeadLetterStatus.RequiresReview, DeadLetterStatus.Pending]);
        filter.Query.ShouldBe(new DeadLetterQuery
        {
            ClientName = "billing",
            Tenant = "t1",
            Authority = "https://api.example.com",
            Method = "POST",
            FailureClass = FailureClass.RateLimited,
            StatusCode = 429,
            Text = "too many",
            Tag = new("docType", "invoice:7"),
            Since = Now.AddDays(-1),
            Until = new(2026, 11, 28, 0, 0, 0, TimeSpan.Zero),
            Fingerprint = "0123456789abcdef01234567",
            Before = id,
        });
        filter.Words.Select(w => w.Key).ShouldBe(LetterFilter.Names);
        filter.Queries.Select(q => q.Status).ShouldBe([DeadLetterStatus.RequiresReview, DeadLetterStatus.Pending]);
    }

    [Fact]
    public void Open_is_what_waits_is_being_sent_or_needs_a_person_and_no_status_is_all()
    {
        Parse(("status", "open")).Statuses.ShouldBe(LetterWords.OpenStatuses);
        Parse(("status", "open,waiting"), ("status", "accepted")).Statuses.Count.ShouldBe(4);
        Parse().Queries.ShouldHaveSingleItem().ShouldBe(new());
    }

    [Theory]
    [InlineData("api.example.com:8443", "https://api.example.com:8443")]
    [InlineData("https://api.example.com:443", "https://api.example.com")]
    [InlineData("http://api.example.com:80/", "http://api.example.com")]
    [InlineData("http://[::1]:5000", "http://[::1]:5000")]
    [InlineData("bücher.example", "https://xn--bcher-kva.example")]
    [InlineData("https+http://catalog", "https+http://catalog")]
    public void A_host_is_written_as_letters_have_it(string host, string authority)
    {
        Parse(("host", host)).Query.Authority.ShouldBe(authority);
        var uri = new Uri(host.Contains("://") ? host : $"https://{host}");
        (Storage.Letters.Plain() with { Uri = uri }).Authority.ShouldBe(authority);
    }

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("30m", 1800)]
    [InlineData("24h", 86_400)]
    [InlineData("7d", 604_800)]
    [InlineData("2w", 1_209_600)]
    public void An_age_counts_from_now(string age, int seconds) => Parse(("since", age)).Query.Since.ShouldBe(Now.AddSeconds(-seconds));

    [Theory]
    [InlineData("2026-11-28T03:10:00Z")]
    [InlineData("2026-11-28T04:10:00+01:00")]
    [InlineData("2026-11-28T03:10")]
    [InlineData("2026-11-28T03:10:00.000")]
    public void A_time_without_a_zone_is_UTC(string time) => Parse(("since", time)).Query.Since.ShouldBe(Now);

    [Fact]
    public void A_wrong_word_is_named_and_has_no_effect_on_the_others()
    {
        var filter = Parse(("stat", "x"), ("status", "waiting,closed"), ("code", "abc"), ("client", "billing"), ("limit", "5"));

        filter.Problems.Select(p => p.Name).ShouldBe(["stat", "status", "code"]);
        filter.Problems[0].Message.ShouldContain("status, client, tenant");
        filter.Problems[1].Message.ShouldContain("needs-person, waiting, being-sent, accepted, dealt-with, replaced, open");
        filter.Query.ShouldBe(new() { ClientName = "billing" });
        filter.Statuses.ShouldBeEmpty();
        filter.Words.ShouldBe([new("client", "billing")]);
    }

    [Fact]
    public void Words_without_a_value_are_absent_as_forms_send_them() =>
        Parse(("client", ""), ("status", ""), ("since", "")).Problems.ShouldBeEmpty();

    [Fact]
    public void A_text_that_no_store_keeps_is_refused()
    {
        string[] texts = ["\ud800", "\udc00x", "a\0", "\ud83d\ud83d"];

        foreach (string text in texts)
            Parse(("text", text)).Problems.ShouldHaveSingleItem();
    }

    [Fact]
    public void A_pair_of_surrogates_is_a_character() => Parse(("text", "💩x")).Problems.ShouldBeEmpty();

    private static LetterFilter Parse(params (string Name, string Value)[] words) =>
        LetterFilter.Parse(words.Select(w => KeyValuePair.Create(w.Name, w.Value)), Now, "limit");
}
