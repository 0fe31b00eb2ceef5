using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.PageTests.Http;

/// <summary>Changes of many letters: what is asked before, and what a second click and a changed number do.</summary>
public sealed partial class JobPageTests
{
    [Fact]
    public async Task A_group_is_sent_again_after_one_question_with_the_number_that_was_shown()
    {
        await using var host = await PageHost.StartAsync();
        await host.AddAsync(Enumerable.Range(1, 30).Select(i => ExampleLetters.Invoice(i)));
        string group = ExampleLetters.Invoice(1).Fingerprint;
        using var client = new PageClient(host);
        var ask = (await client.GetAsync($"groups/{group}/send?many=10&rate=2.5&stops=yes")).ShouldBe(HttpStatusCode.OK);
        ask.Text.ShouldContain("Send 10 of 30 letters again?");
        ask.Text.ShouldContain("10 requests as they are, each under its own key, to https://api.billing.example");
        ask.Text.ShouldContain("2.5 a second, about 4 seconds");
        ask.Text.ShouldContain("is left out");
        var fields = FieldsOf(ask);
        string first = (await client.PostAsync($"groups/{group}/send", fields)).Location;
        // The second post of a double click shows the job of the first.
        string second = (await client.PostAsync($"groups/{group}/send", fields)).Location;
        second.Split('?')[0].ShouldBe(first.Split('?')[0]);
        var job = (await JobsOf(host)).ShouldHaveSingleItem();
        (job.Request.MaxLetters, job.Request.PerSecond, job.Request.StopRatio, job.Request.IncludesUncertain, job.Request.By)
            .ShouldBe((10, 2.5, 0.5, false, "olga"));
        (await client.GetAsync(first)).Text.ShouldContain("Sending 10 again");
        // Another person sees it, and can stop it.
        using var oskar = new PageClient(host, PageHost.Other);
        (await oskar.GetAsync($"groups/{group}")).Text.ShouldContain("Sending 10 again");
        (await oskar.PostAsync($"jobs/{job.Id}/stop", [])).Location.ShouldEndWith("did=stopped");
        (await client.GetAsync(first)).Text.ShouldContain("Stopped by oskar");
    }

    [Fact]
    public async Task When_the_number_has_changed_by_more_than_a_tenth_it_asks_again()
    {
        await using var host = await PageHost.StartAsync();
        await host.AddAsync(Enumerable.Range(1, 30).Select(i => ExampleLetters.Invoice(i)));
        string group = ExampleLetters.Invoice(1).Fingerprint;
        using var client = new PageClient(host);
        var fields = FieldsOf(await client.GetAsync($"groups/{group}/send?many=all&rate=5"));
        await host.AddAsync(Enumerable.Range(101, 4).Select(i => ExampleLetters.Invoice(i)));
        var again = (await client.PostAsync($"groups/{group}/send", fields)).ShouldBe(HttpStatusCode.Conflict);
        again.Text.ShouldContain("There were 30 letters, now there are 34. Nothing was done.");
        again.Text.ShouldContain("Send 34 of 34 letters again?");
        (await JobsOf(host)).ShouldBeEmpty();
        _ = (await client.PostAsync($"groups/{group}/send", FieldsOf(again))).Location;
        (await JobsOf(host)).ShouldHaveSingleItem().Total.ShouldBe(34);
    }

    [Fact]
    public async Task More_than_a_thousand_need_their_number_typed()
    {
        await using var host = await PageHost.StartAsync();
        await host.AddAsync(Enumerable.Range(1, 1001).Select(i => ExampleLetters.Invoice(i)));
        string group = ExampleLetters.Invoice(1).Fingerprint;
        using var client = new PageClient(host);
        var ask = await client.GetAsync($"groups/{group}/resolve");
        ask.Text.ShouldContain("Type 1001 to go on");
        foreach (string typed in (string[])["", "1000", "all"])
        {
            (await client.PostAsync($"groups/{group}/resolve", [.. FieldsOf(ask), ("typed", typed)])).ShouldBe(HttpStatusCode.Conflict).Text
                .ShouldContain("is not that of the letters");
        }

        (await JobsOf(host)).ShouldBeEmpty();
        _ = (await client.PostAsync($"groups/{group}/resolve", [.. FieldsOf(ask), ("typed", "1,001"), ("notes", "credited")])).Location;
        var job = (await JobsOf(host)).ShouldHaveSingleItem();
        (job.Request.Action, job.Request.Notes, job.Total).ShouldBe((LetterJobAction.Resolve, "credited", 1001));
    }

    [Fact]
    public async Task One_letter_is_preselected_and_a_question_without_choices_asks_for_one()
    {
        await using var host = await PageHost.StartAsync();
        await host.AddAsync(Enumerable.Range(1, 3).Select(i => ExampleLetters.Invoice(i)));
        string group = ExampleLetters.Invoice(1).Fingerprint;
        using var client = new PageClient(host);
        (await client.GetAsync($"groups/{group}")).Html.ShouldContain("name=\"many\" value=\"1\" checked");
        (await client.GetAsync($"groups/{group}/send")).Text.ShouldContain("Send 1 of 3 letters again?");
        (await client.GetAsync($"groups/{group}/resolve")).Text.ShouldContain("Mark 3 letters as dealt with?");
        // A form that was made by hand is asked first.
        (await client.PostAsync($"groups/{group}/send", [("many", "all")])).ShouldBe(HttpStatusCode.OK).Text.ShouldContain("Send 3 of 3");
        (await JobsOf(host)).ShouldBeEmpty();
    }

    private static Task<IReadOnlyList<LetterJob>> JobsOf(PageHost host) =>
        host.Services.GetRequiredService<LetterJobs>().ListAsync(cancellationToken: TestContext.Current.CancellationToken);

    private static IReadOnlyList<(string Name, string Value)> FieldsOf(PageText page) =>
        [.. Hidden().Matches(page.Html).Select(m => (m.Groups[1].Value, m.Groups[2].Value))
            .Where(f => f.Item1[0] != '_' && f.Item1 != "back")];

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\"")]
    private static partial Regex Hidden();
}
