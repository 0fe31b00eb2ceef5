using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.PageTests.Http;

/// <summary>Clients: paused and resumed, their hosts held back and let through.</summary>
public sealed class ClientPageTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task A_client_is_paused_and_resumed_and_everybody_sees_by_whom_and_why()
    {
        await using var host = await StartAsync();
        using var olga = new PageClient(host);
        using var anna = new PageClient(host, PageHost.Staff);
        using var oskar = new PageClient(host, PageHost.Other);
        (await olga.GetAsync("clients/billing/pause")).ShouldBe(HttpStatusCode.OK).Text.ShouldContain("Calls fail at once");
        (await olga.PostAsync("clients/billing/pause", [("notes", "Their <warehouse> moves")])).Location
            .ShouldBe($"{PageHost.Prefix}/clients/billing?did=paused");
        // A second click shows the result of the first, another person what the first did.
        _ = (await olga.PostAsync("clients/billing/pause", [])).Location;
        (await oskar.PostAsync("clients/billing/pause", [])).ShouldBe(HttpStatusCode.Conflict).Text.ShouldContain("by olga");
        foreach (string path in (string[])["", "clients", "clients/billing"])
            (await anna.GetAsync(path)).ShouldBe(HttpStatusCode.OK).Text.ShouldContain("aused", customMessage: path);
        var page = await anna.GetAsync("clients/billing");
        page.Text.ShouldContain("billing is paused by olga");
        page.Text.ShouldContain("“ Their <warehouse> moves ”");
        page.Html.ShouldNotContain("<warehouse>");
        page.Html.ShouldNotContain("/resume");
        (await anna.PostAsync("clients/billing/resume", [], withToken: false)).ShouldBe(HttpStatusCode.Forbidden);
        (await oskar.PostAsync("clients/billing/resume", [])).Location.ShouldContain("did=resumed");
        (await anna.GetAsync("clients/billing")).Text.ShouldContain("billing works");
        (await anna.GetAsync("activity")).Text.ShouldContain("Paused the client");
    }

    [Fact]
    public async Task A_host_is_held_back_and_let_through_on_all_instances()
    {
        await using var host = await StartAsync();
        using var olga = new PageClient(host);
        using var anna = new PageClient(host, PageHost.Staff);
        (await anna.GetAsync("clients/billing/hold?host=https://api.billing.example")).ShouldBe(HttpStatusCode.Forbidden);
        (await olga.GetAsync("clients/billing/hold?host=https://api.billing.example")).Text
            .ShouldContain("Hold https://api.billing.example back?");
        (string, string)[] fields = [("host", "https://api.billing.example"), ("tenant", ""), ("notes", "they asked us to")];
        for (int click = 0; click < 2; click++)
            (await olga.PostAsync("clients/billing/hold", fields)).Location.ShouldBe($"{PageHost.Prefix}/clients/billing?did=held");
        var page = await anna.GetAsync("clients/billing");
        page.Text.ShouldContain("Held back");
        page.Text.ShouldContain("held back by olga");
        page.Text.ShouldContain("they asked us to");
        page.Html.ShouldNotContain("/release");
        (await anna.GetAsync()).Text.ShouldContain("is held back");
        host.Services.GetRequiredService<ICircuits>().List("billing").ShouldContain(c => c.State == CircuitState.Isolated);
        (await olga.PostAsync("clients/billing/release", fields)).Location.ShouldContain("did=released");
        host.Services.GetRequiredService<ICircuits>().List("billing").ShouldNotContain(c => c.State == CircuitState.Isolated);
    }

    [Theory]
    [InlineData("clients/nobody/pause", "", HttpStatusCode.NotFound)]
    [InlineData("clients/nobody/resume", "", HttpStatusCode.NotFound)]
    [InlineData("clients/billing/hold", "no host", HttpStatusCode.UnprocessableEntity)]
    [InlineData("clients/billing/hold", "", HttpStatusCode.UnprocessableEntity)]
    [InlineData("clients/billing/hold", "ftp://api.example.com", HttpStatusCode.UnprocessableEntity)]
    [InlineData("clients/billing/hold", "https://u:p@api.example.com", HttpStatusCode.UnprocessableEntity)]
    [InlineData("clients/billing/hold", "https://exa mple", HttpStatusCode.UnprocessableEntity)]
    [InlineData("clients/nobody/hold", "https://api.example.com", HttpStatusCode.NotFound)]
    [InlineData("clients/billing/resume", "", HttpStatusCode.Conflict)]
    public async Task What_cannot_be_done_says_why(string path, string at, HttpStatusCode status)
    {
        await using var host = await StartAsync();
        using var client = new PageClient(host);
        (await client.PostAsync(path, [("host", at)])).ShouldBe(status).Html.ShouldContain("<h1>");
    }

    [Fact]
    public async Task The_settings_in_force_are_shown_with_where_each_comes_from_and_secrets_are_not()
    {
        await using var host = await StartAsync();
        using var anna = new PageClient(host, PageHost.Staff);
        var page = (await anna.GetAsync("clients/billing")).ShouldBe(HttpStatusCode.OK);
        page.Text.ShouldContain("DeadLetter:Enabled true code");
        page.Text.ShouldNotContain("Hedging:Enabled");
        (await anna.GetAsync("clients/billing?settings=all")).Text.ShouldContain("Hedging:Enabled false default");
    }

    [Fact]
    public async Task Batches_are_shown_with_their_failures_page_by_page()
    {
        await using var host = await StartAsync();
        using var anna = new PageClient(host, PageHost.Staff);
        (await anna.GetAsync("batches")).Text.ShouldContain("No batch has a checkpoint");
        var store = host.Services.GetRequiredService<ICheckpointStore>();
        var (owner, now) = (Guid.CreateVersion7(), DateTimeOffset.UtcNow);
        await store.BeginAsync("nightly/<b>", owner, now, now.AddMinutes(1), Never);
        await store.SaveAsync(
            new()
            {
                Name = "nightly/<b>",
                Owner = owner,
                LeaseUntil = now.AddMinutes(1),
                Position = 60,
                Done = [],
                Failed = [.. Enumerable.Range(0, 60).Select(i => new BatchFailure
                {
                    Index = i, FailureClass = FailureClass.Validation, Error = $"<i>{i}</i>", FailedAt = now, Attempts = 1,
                })],
            }, Never);
        var list = (await anna.GetAsync("batches")).ShouldBe(HttpStatusCode.OK);
        list.Html.ShouldNotContain("<b>");
        list.Text.ShouldContain("Under way");
        var first = (await anna.GetAsync("batches/nightly%2F%3Cb%3E")).ShouldBe(HttpStatusCode.OK);
        first.Text.ShouldContain("<i>49</i>");
        first.Text.ShouldNotContain("<i>50</i>");
        (await anna.GetAsync("batches/nightly%2F%3Cb%3E?after=49")).Text.ShouldContain("<i>50</i>");
        (await anna.GetAsync("batches/none")).ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Alerts_say_which_line_turns_them_on_and_that_there_is_none()
    {
        await using var host = await StartAsync();
        await using var without = await PageHost.StartAsync();
        using var anna = new PageClient(host, PageHost.Staff);
        using var other = new PageClient(without, PageHost.Staff);
        (await anna.GetAsync("alerts")).ShouldBe(HttpStatusCode.OK).Text.ShouldContain("Nobody had to be told");
        (await other.GetAsync("alerts")).ShouldBe(HttpStatusCode.OK).Text.ShouldContain("AddHttpResilienceOperations");
        (await anna.GetAsync($"alerts/{Guid.NewGuid()}")).ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_calls_of_the_last_hour_are_counted_with_those_that_failed_and_their_retries()
    {
        var script = new FaultScript().Status(500).Status(200).Status(200).Status(404);
        await using var host = await PageHost.StartAsync(configure: builder => builder.Services
            .AddResilientHttpClient("billing", o => o.Retry.Delay = TimeSpan.Zero).ConfigurePrimaryHttpMessageHandler(() => script));
        var calls = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("billing");
        for (int i = 0; i < 3; i++)
            (await calls.GetAsync(new Uri("https://api.billing.example/v1/invoices"), Never)).Dispose();
        using var anna = new PageClient(host, PageHost.Staff);
        var page = await anna.GetAsync("clients/billing");
        page.Text.ShouldContain("Calls, last hour 3");
        page.Text.ShouldContain("Retries 1");
        (await anna.GetAsync()).Html.ShouldContain("billing, calls of this instance in the last hour by 5 minutes: 3 calls");
    }

    private static async Task<PageHost> StartAsync()
    {
        var host = await PageHost.StartAsync(configure: builder =>
        {
            builder.Services.AddResilientHttpClient("billing", o =>
            {
                o.DeadLetter.Enabled = true;
                o.ErrorBudget.Objective = 0.999;
            });
            builder.Services.AddHttpResilienceOperations();
        });
        await host.WaitForHeartbeatAsync();
        return host;
    }
}
