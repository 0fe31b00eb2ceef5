using System.Net;
using HttpResilience.PageTests.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.PageTests.Hosting;

/// <summary>Hosts of every kind: the page needs nothing of them.</summary>
public sealed class HostTests
{
    [Theory]
    [InlineData("/shop", "", "/resilience")]
    [InlineData("", "/admin/{area}", "/resilience")]
    [InlineData("/shop", "/admin/{area}", "/ops/pages/")]
    [InlineData("", "", "resilience")]
    [InlineData("/gr%C3%BCn", "", "/resilience")]
    public async Task All_links_lie_below_the_prefix_wherever_it_is(string pathBase, string group, string prefix)
    {
        var letter = ExampleLetters.Invoice(20417);
        await using var host = await PageHost.StartAsync(map: app =>
        {
            if (pathBase.Length > 0)
                app.UsePathBase(WebUtility.UrlDecode(pathBase));
            app.UseRouting();
            app.UseAuthentication();
            app.UseAuthorization();
            (group.Length == 0 ? (IEndpointRouteBuilder)app : app.MapGroup(group)).MapHttpResilience(prefix).RequireAuthorization("staff");
        });
        await host.AddAsync(letter);
        string root = $"{pathBase}{group.Replace("{area}", "north", StringComparison.Ordinal)}/{prefix.Trim('/')}";
        using var client = new PageClient(host);
        string[] paths =
        [
            "", "/", "/letters", "/letters?view=list", $"/letters/{letter.Id}", $"/groups/{letter.Fingerprint}", "/nowhere/at/all",
        ];
        foreach (string path in paths)
        {
            var page = await client.GetAsync(root + path);
            string[] links =
                [.. page.Html.Split(["href=\"", "src=\"", "action=\""], StringSplitOptions.None).Skip(1).Select(p => p.Split('"')[0])];
            links.Where(l => l[0] != '#').ShouldAllBe(l => l == root || l.StartsWith(root + "/", StringComparison.Ordinal), path);
            foreach (string link in links.Where(l => l.Contains("/assets/", StringComparison.Ordinal)))
                (await client.GetAsync(link)).ShouldBe(HttpStatusCode.OK);
        }

        (await client.PostAsync($"{root}/letters/{letter.Id}/send", [("version", "0")])).Location
            .ShouldBe($"{root}/letters/{letter.Id}?did=sends");
        (await client.GetAsync($"{root}/api/v1/letters/{letter.Id}")).ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_host_that_is_a_blazor_application_keeps_its_pages_and_the_page_stays_apart(bool isBefore)
    {
        await using var host = await PageHost.StartHostAsync(
            builder =>
            {
                PageHost.AddPeople(builder.Services);
                builder.Services.AddHttpResilienceStorage(s => s.UseInMemory());
                if (isBefore)
                    builder.Services.AddRazorComponents();
                builder.Services.AddHttpResiliencePage(o => o.OperatePolicy = "operators");
                if (!isBefore)
                    builder.Services.AddRazorComponents();
            },
            app =>
            {
                app.UseAntiforgery();
                app.MapRazorComponents<HostPage>();
                app.MapHttpResilience().RequireAuthorization("staff");
            });
        var letter = ExampleLetters.Invoice(20417);
        await host.AddAsync(letter);
        using var client = new PageClient(host);
        var own = await client.GetAsync("/own");
        own.ShouldBe(HttpStatusCode.OK).Html.ShouldContain("of the host");
        var page = (await client.GetAsync()).ShouldBe(HttpStatusCode.OK);
        page["blazor-enhanced-nav"].ShouldBeNull();
        page.Html.ShouldNotContain("of the host");
        (await client.GetAsync("nowhere")).ShouldBe(HttpStatusCode.NotFound).Html.ShouldNotContain("of the host");
        (await client.PostAsync($"letters/{letter.Id}/send", [("version", "0")])).Location.ShouldContain("did=sends");
        // The token is checked by the page, whatever the host does.
        (await client.PostAsync($"letters/{letter.Id}/cancel", [("version", "1")], withToken: false))
            .ShouldBe(HttpStatusCode.BadRequest).Text.ShouldContain("Please press once more");
    }

    [Fact]
    public async Task A_catch_all_of_the_host_does_not_answer_in_the_place_of_the_page()
    {
        await using var host = await PageHost.StartAsync(map: app =>
        {
            app.MapHttpResilience().RequireAuthorization("staff");
            app.MapFallback(() => "of the host");
            app.Map("/{**rest}", () => "of the host");
        });
        using var client = new PageClient(host);
        (await client.GetAsync("letters/a/b/c/d")).ShouldBe(HttpStatusCode.NotFound).Html.ShouldNotContain("of the host");
        (await client.GetAsync("/elsewhere")).Html.ShouldBe("of the host");
    }

    [Fact]
    public async Task Without_its_services_the_page_says_which_line_is_missing()
    {
        var error = await Should.ThrowAsync<InvalidOperationException>(
            () => PageHost.StartHostAsync(_ => { }, app => app.MapHttpResilience()));
        error.Message.ShouldContain("AddHttpResiliencePage");
    }

    [Fact]
    public async Task Without_a_store_the_page_says_how_to_turn_it_on()
    {
        await using var host = await PageHost.StartHostAsync(
            builder =>
            {
                PageHost.AddPeople(builder.Services);
                builder.Services.AddHttpResiliencePage();
            },
            app => app.MapHttpResilience().RequireAuthorization("staff"));
        using var client = new PageClient(host);
        (await client.GetAsync()).ShouldBe(HttpStatusCode.OK).Text.ShouldContain("AddHttpResilienceStorage turns it on");
        (await client.GetAsync("letters")).ShouldBe(HttpStatusCode.OK).Text.ShouldContain("UseSqlite");
        (await client.GetAsync("activity")).ShouldBe(HttpStatusCode.ServiceUnavailable).Text.ShouldContain("UseSqlite");
        (await client.GetAsync($"letters/{Guid.NewGuid()}")).ShouldBe(HttpStatusCode.ServiceUnavailable).Text.ShouldContain("UseSqlite");
        (await client.GetAsync("clients")).ShouldBe(HttpStatusCode.OK);
    }
}

/// <summary>A page of a host that is a Blazor application.</summary>
[Microsoft.AspNetCore.Components.Route("/own")]
public sealed class HostPage : ComponentBase
{
    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.AddMarkupContent(0, "<p>of the host</p>");
    }
}
