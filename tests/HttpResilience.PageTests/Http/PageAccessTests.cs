using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.PageTests.Http;

/// <summary>Who gets the page, and who may change something by it.</summary>
public sealed class PageAccessTests
{
    private static readonly string[] Pages = ["", "letters", "letters?view=list", "clients", "activity", "help", "nowhere", "letters/x"];

    [Fact]
    public async Task A_page_that_the_host_has_not_protected_shows_two_lines_of_code_and_nothing_else()
    {
        await using var host = await PageHost.StartAsync(map: app => app.MapHttpResilience());
        using var client = new PageClient(host);
        foreach (string path in Pages)
        {
            var page = (await client.GetAsync(path)).ShouldBe(HttpStatusCode.Forbidden);
            page.Text.ShouldContain("RequireAuthorization(\"staff\")");
            page.Html.ShouldNotContain("<nav");
            page.Html.ShouldNotContain("<form");
        }

        (await client.PostAsync($"letters/{Guid.NewGuid()}/send", [("version", "0")])).ShouldBe(HttpStatusCode.Forbidden);
        (await client.GetAsync("api/v1/letters")).ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task In_development_the_own_machine_sees_it_and_a_proxy_does_not()
    {
        await using var host = await PageHost.StartHostAsync(
            builder =>
            {
                builder.Services.AddHttpResilienceStorage(s => s.UseInMemory());
                builder.Services.AddHttpResiliencePage();
            },
            app => app.MapHttpResilience(), "Development");
        using var client = new PageClient(host, person: null);
        (await client.GetAsync()).ShouldBe(HttpStatusCode.OK).Html.ShouldContain("Development");
        (await client.GetAsync("", ("X-Forwarded-For", "203.0.113.7"))).ShouldBe(HttpStatusCode.Forbidden);
        (await client.GetAsync("", ("Forwarded", "for=203.0.113.7"))).ShouldBe(HttpStatusCode.Forbidden);
        // Without a policy nobody may change anything.
        (await client.GetAsync("help")).Token.ShouldBeEmpty();
        (await client.PostAsync($"letters/{Guid.NewGuid()}/send", [])).ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Who_is_not_signed_in_or_not_staff_is_turned_away_by_the_host()
    {
        await using var host = await PageHost.StartAsync();
        using var nobody = new PageClient(host, person: null);
        using var guest = new PageClient(host, "gast; guests");
        foreach (string path in Pages)
        {
            (await nobody.GetAsync(path)).ShouldBe(HttpStatusCode.Unauthorized);
            (await guest.GetAsync(path)).ShouldBe(HttpStatusCode.Forbidden);
        }
    }

    [Fact]
    public async Task A_fallback_policy_that_closes_everything_is_enough()
    {
        await using var host = await PageHost.StartAsync(
            configure: builder => builder.Services.AddAuthorizationBuilder().SetFallbackPolicy(
                new AuthorizationPolicyBuilder().RequireRole("staff").Build()),
            map: app => app.MapHttpResilience());
        using var nobody = new PageClient(host, person: null);
        using var staff = new PageClient(host, PageHost.Staff);
        (await nobody.GetAsync()).ShouldBe(HttpStatusCode.Unauthorized);
        var page = (await staff.GetAsync()).ShouldBe(HttpStatusCode.OK);
        // The style sheet lies below the prefix, too.
        foreach (string asset in page.Html.Split('"').Where(part => part.Contains("/assets/", StringComparison.Ordinal)))
            (await staff.GetAsync(asset)).ShouldBe(HttpStatusCode.OK)["Cache-Control"]!.ShouldContain("immutable");
    }

    [Fact]
    public async Task Who_may_only_look_gets_no_form_that_changes_something_and_no_button()
    {
        await using var host = await PageHost.StartAsync();
        var letter = ExampleLetters.Invoice(20417);
        await host.AddAsync(letter, ExampleLetters.Uncertain(3));
        using var staff = new PageClient(host, PageHost.Staff);
        foreach (string path in (string[])[.. Pages[..^2], $"letters/{letter.Id}", $"groups/{letter.Fingerprint}"])
        {
            var page = (await staff.GetAsync(path)).ShouldBe(HttpStatusCode.OK);
            page.Html.ShouldNotContain("method=\"post\"", customMessage: path);
            page.Text.ShouldNotContain("Send again…", customMessage: path);
            page.Text.ShouldContain("may look");
        }

        (await staff.GetAsync($"groups/{letter.Fingerprint}/send?many=1")).ShouldBe(HttpStatusCode.Forbidden);
        (await staff.GetAsync($"letters/{letter.Id}/body")).ShouldBe(HttpStatusCode.Forbidden);
        using var operators = new PageClient(host);
        string token = await operators.TokenAsync();
        foreach (string deed in Deeds(letter))
        {
            (await staff.PostAsync(deed, [("version", "0"), ("__RequestVerificationToken", token)], withToken: false))
                .ShouldBe(HttpStatusCode.Forbidden).Text.ShouldContain("policy 'operators'");
        }

        (await host.Letters.FindAsync(letter.Id, TestContext.Current.CancellationToken))!.Version.ShouldBe(0);
    }

    [Fact]
    public async Task Nothing_is_done_without_a_token_or_from_another_site()
    {
        await using var host = await PageHost.StartAsync();
        var letter = ExampleLetters.Invoice(20417);
        await host.AddAsync(letter);
        using var client = new PageClient(host);
        foreach (string deed in Deeds(letter))
        {
            (string, string)[] fields = [("version", "0"), ("looked", "yes"), ("once", $"{Guid.CreateVersion7()}"), ("counted", "1")];
            (await client.PostAsync(deed, fields, withToken: false)).ShouldBe(HttpStatusCode.BadRequest).Text
                .ShouldContain("Please press once more");
            foreach (string site in (string[])["cross-site", "same-site", "", "same-origin, cross-site"])
            {
                (await client.PostAsync(deed, fields, headers: ("Sec-Fetch-Site", site))).ShouldBe(HttpStatusCode.Forbidden).Text
                    .ShouldContain("Another site");
            }
        }

        (await host.Letters.FindAsync(letter.Id, TestContext.Current.CancellationToken))!.Version.ShouldBe(0);
    }

    [Fact]
    public async Task A_form_with_a_token_of_another_replica_comes_back_filled_and_is_sent_by_one_more_click()
    {
        await using var host = await PageHost.StartAsync();
        await using var replica = await PageHost.StartAsync();
        var letter = ExampleLetters.Invoice(20417);
        await host.AddAsync(letter);
        using var client = new PageClient(host);
        using var elsewhere = new PageClient(replica);
        string foreign = await elsewhere.TokenAsync();
        (string, string)[] fields = [("version", "0"), ("action", "Entered by hand"), ("notes", "line one\nline <two>")];
        var again = (await client.PostAsync(
            $"letters/{letter.Id}/resolve", [.. fields, ("__RequestVerificationToken", foreign)], withToken: false))
            .ShouldBe(HttpStatusCode.BadRequest);
        again.Html.ShouldContain("line &lt;two&gt;");
        again.Html.ShouldContain("value=\"Entered by hand\"");
        again.Html.ShouldNotContain(foreign);
        (await client.PostAsync(
            $"letters/{letter.Id}/resolve", [.. fields, ("__RequestVerificationToken", again.Token)], withToken: false))
            .Location.ShouldBe($"{PageHost.Prefix}/letters/{letter.Id}?did=dealt-with");
    }

    [Fact]
    public async Task Too_many_changes_of_a_person_in_a_minute_are_refused()
    {
        await using var host = await PageHost.StartAsync(options: o => o.PostsPerMinute = 2);
        using var olga = new PageClient(host);
        using var oskar = new PageClient(host, PageHost.Other);
        for (int i = 0; i < 2; i++)
            (await olga.PostAsync($"letters/{Guid.NewGuid()}/send", [])).ShouldBe(HttpStatusCode.NotFound);
        var refused = (await olga.PostAsync($"letters/{Guid.NewGuid()}/send", [])).ShouldBe(HttpStatusCode.TooManyRequests);
        int.Parse(refused["Retry-After"]!, System.Globalization.CultureInfo.InvariantCulture).ShouldBeInRange(1, 60);
        (await oskar.PostAsync($"letters/{Guid.NewGuid()}/send", [])).ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Every_answer_has_the_headers_that_keep_it_safe()
    {
        await using var host = await PageHost.StartAsync();
        using var client = new PageClient(host);
        foreach (string path in Pages)
        {
            var page = await client.GetAsync(path);
            page["Content-Security-Policy"].ShouldBe(
                "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
                + "base-uri 'none'; frame-ancestors 'none'", path);
            page["X-Content-Type-Options"].ShouldBe("nosniff");
            page["Referrer-Policy"].ShouldBe("same-origin");
            page["Cross-Origin-Opener-Policy"].ShouldBe("same-origin");
            page["Cache-Control"]!.Split(", ").Order().ShouldBe(["no-cache", "no-store"]);
            page["Pragma"].ShouldBe("no-cache");
            page["blazor-enhanced-nav"].ShouldBeNull();
            page.Html.ShouldNotContain("style=\"");
            page.Html.ShouldNotContain("<base");
            page.Html.ShouldNotContain("_framework");
        }
    }

    [Theory]
    [InlineData("GET", "letters/{0}/send", HttpStatusCode.MethodNotAllowed)]
    [InlineData("POST", "letters", HttpStatusCode.MethodNotAllowed)]
    [InlineData("DELETE", "letters/{0}", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "nowhere/at/all", HttpStatusCode.NotFound)]
    [InlineData("GET", "letters/no-id", HttpStatusCode.NotFound)]
    [InlineData("GET", "letters/00000000-0000-0000-0000-000000000000", HttpStatusCode.NotFound)]
    [InlineData("GET", "groups/000000000000000000000000", HttpStatusCode.NotFound)]
    [InlineData("GET", "jobs/00000000-0000-0000-0000-000000000000", HttpStatusCode.NotFound)]
    [InlineData("GET", "clients/nobody", HttpStatusCode.NotFound)]
    [InlineData("GET", "assets/0/style.css", HttpStatusCode.NotFound)]
    [InlineData("HEAD", "letters", HttpStatusCode.OK)]
    public async Task An_address_that_is_not_there_is_a_page_that_says_so(string method, string path, HttpStatusCode status)
    {
        await using var host = await PageHost.StartAsync();
        using var client = new PageClient(host);
        using var request = new HttpRequestMessage(
            new(method), new Uri(string.Format(System.Globalization.CultureInfo.InvariantCulture, path, Guid.NewGuid()), UriKind.Relative));
        var page = (await client.SendAsync(request)).ShouldBe(status);
        page["Content-Type"].ShouldBe("text/html; charset=utf-8");
        if (method == "GET")
            page.Html.ShouldContain("<h1>");
    }

    private static string[] Deeds(DeadLetter letter) =>
    [
        $"letters/{letter.Id}/send", $"letters/{letter.Id}/correct", $"letters/{letter.Id}/resolve", $"letters/{letter.Id}/reopen",
        $"letters/{letter.Id}/cancel", $"groups/{letter.Fingerprint}/send", $"groups/{letter.Fingerprint}/resolve",
        $"jobs/{Guid.CreateVersion7()}/stop",
    ];
}
