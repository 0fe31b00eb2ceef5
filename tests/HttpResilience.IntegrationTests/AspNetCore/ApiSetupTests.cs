using System.Net;
using System.Net.Sockets;
using System.Text;
using HttpResilience.AspNetCore;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Moq;

namespace HttpResilience.IntegrationTests.AspNetCore;

/// <summary>How an application protects the API, and what it answers whatever is asked.</summary>
public sealed class ApiSetupTests
{
    private static readonly string[] Addresses = ["letters", "counts", "clients", "openapi.json", "no/such/address", ""];

    [Fact]
    public async Task Without_protection_every_address_answers_403_with_the_lines_that_protect_it()
    {
        await using var host = await ApiHost.StartAsync(b => Add(b), app => app.MapHttpResilienceApi());

        foreach (string address in Addresses)
        {
            var problem = (await host.GetAsync(address)).ShouldBeProblem(HttpStatusCode.Forbidden);
            problem["detail"]!.GetValue<string>().ShouldContain("app.MapHttpResilienceApi().RequireAuthorization(\"staff\");");
        }

        (await host.PostAsync("letters/purge")).ShouldBeProblem(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task An_application_without_AddAuthorization_shows_and_changes_nothing()
    {
        await using var host = await ApiHost.StartAsync(
            builder =>
            {
                builder.Services.AddHttpResilienceStorage(s => s.UseInMemory(new InMemoryStorage()));
                builder.Services.AddHttpResilienceApi(o => o.OperatePolicy = "operators");
            },
            app =>
            {
                app.MapHttpResilienceApi();
                app.MapHttpResilienceApi("/open").AllowAnonymous();
            });

        (await host.GetAsync("letters")).ShouldBeProblem(HttpStatusCode.Forbidden);
        (await host.GetAsync("/open/letters")).ShouldBe(HttpStatusCode.OK);
        (await host.PostAsync("/open/letters/purge")).ShouldBeProblem(HttpStatusCode.Forbidden)["detail"]!.GetValue<string>()
            .ShouldBe("Nobody may change anything: the application has no authorization policy 'operators'.");
    }

    [Fact]
    public async Task AllowAnonymous_by_the_host_shows_it_to_everyone_and_lets_nobody_without_the_policy_change_anything()
    {
        await using var host = await ApiHost.StartAsync(b => Add(b), app => app.MapHttpResilienceApi().AllowAnonymous());

        (await host.GetAsync("letters", person: null)).ShouldBe(HttpStatusCode.OK);
        (await host.PostAsync("letters/purge", person: null)).ShouldBeProblem(HttpStatusCode.Forbidden);
        (await host.PostAsync("letters/purge", person: ApiHost.Operator)).ShouldBeProblem(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task A_fallback_policy_of_the_host_protects_it_and_reaches_addresses_that_are_not_there()
    {
        await using var host = await ApiHost.StartAsync(
            b =>
            {
                Add(b);
                b.Services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireRole("staff").Build());
            },
            app => app.MapHttpResilienceApi());

        (await host.GetAsync("letters", person: null)).ShouldBe(HttpStatusCode.Unauthorized);
        (await host.GetAsync("letters")).ShouldBe(HttpStatusCode.OK);
        (await host.GetAsync("no/such/address", person: null)).ShouldBe(HttpStatusCode.Unauthorized);
        (await host.GetAsync("no/such/address")).ShouldBeProblem(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("Development", "", "", HttpStatusCode.OK)]
    [InlineData("Development", "Forwarded", "for=192.0.2.1", HttpStatusCode.Forbidden)]
    [InlineData("Development", "X-Forwarded-For", "127.0.0.1", HttpStatusCode.Forbidden)]
    [InlineData("Development", "X-Original-For", "127.0.0.1", HttpStatusCode.Forbidden)]
    [InlineData("Production", "", "", HttpStatusCode.Forbidden)]
    [InlineData("Staging", "", "", HttpStatusCode.Forbidden)]
    public async Task In_Development_the_own_machine_sees_it_unless_a_proxy_stands_between(
        string environment, string header, string value, HttpStatusCode expected)
    {
        await using var host = await ApiHost.StartAsync(b => Add(b), app => app.MapHttpResilienceApi(), environment);

        (await host.GetAsync("letters", null, header.Length == 0 ? [] : [(header, value)])).ShouldBe(expected);
        (await host.PostAsync("letters/purge", person: null)).ShouldBeProblem(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task An_address_that_is_not_there_is_404_and_another_method_405_also_beside_a_catch_all_of_the_host()
    {
        await using var host = await ApiHost.StartAsync(b => Add(b), app =>
        {
            app.MapHttpResilienceApi().AllowAnonymous();
            app.MapFallback(() => "the host's own page").AllowAnonymous();
        });

        (await host.GetAsync("letter")).ShouldBeProblem(HttpStatusCode.NotFound);
        (await host.GetAsync("")).ShouldBeProblem(HttpStatusCode.NotFound);
        (await host.PostAsync("nowhere/at/all")).ShouldBeProblem(HttpStatusCode.NotFound);
        var put = await host.SendAsync(HttpMethod.Put, "letters/purge", ApiHost.Operator, null);
        put.ShouldBeProblem(HttpStatusCode.MethodNotAllowed);
        put["Allow"].ShouldBe("GET, POST");
        (await host.PostAsync("letters")).ShouldBeProblem(HttpStatusCode.MethodNotAllowed);
        (await host.GetAsync($"letters/{Guid.NewGuid()}/replay")).ShouldBeProblem(HttpStatusCode.MethodNotAllowed);
        var head = (await host.SendAsync(HttpMethod.Head, "counts", null, null)).ShouldBe(HttpStatusCode.OK);
        (head.Bytes.Length, head["Content-Length"]).ShouldBe((0, $"{(await host.GetAsync("counts", null)).Bytes.Length}"));
    }

    // HttpClient writes the names of methods that it knows in upper case.
    [Fact]
    public async Task A_method_in_lower_case_is_another_one_and_no_failure()
    {
        await using var host = await ApiHost.StartAsync(b => Add(b), app => app.MapHttpResilienceApi().AllowAnonymous());
        using var client = new TcpClient();
        await client.ConnectAsync(host.Address.Host, host.Address.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();

        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"head {ApiHost.Prefix}/counts HTTP/1.1\r\nHost: {host.Address.Authority}\r\nConnection: close\r\n\r\n"),
            TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        string answer = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);

        answer.ShouldStartWith("HTTP/1.1 405");
        answer.ShouldContain("This address has no such method.");
    }

    [Fact]
    public async Task What_stops_or_takes_back_is_never_too_much()
    {
        await using var host = await ApiHost.StartAsync(
            b => Add(b, o => o.PostsPerMinute = 1), app => app.MapHttpResilienceApi().RequireAuthorization("staff"));
        (await host.PostAsync("letters/purge")).ShouldBeProblem(HttpStatusCode.UnprocessableEntity);
        (await host.PostAsync("letters/purge")).ShouldBeProblem(HttpStatusCode.TooManyRequests);

        foreach (string path in new[]
            {
                $"jobs/{Guid.NewGuid()}/stop", $"letters/{Guid.NewGuid()}/cancel", "circuits/release", "clients/orders/resume",
            })
            (await host.PostAsync(path)).Status.ShouldBeOneOf(HttpStatusCode.NotFound, HttpStatusCode.UnprocessableEntity);
    }

    [Theory]
    [InlineData("/resilience/jobs/1/stop", true)]
    [InlineData("/resilience/letters/1/cancel", true)]
    [InlineData("/resilience/clients/a b/release", true)]
    [InlineData("/resilience/clients/a%2Fb/Resume/", true)]
    [InlineData("/resilience/circuits/release", true)]
    [InlineData("/resilience/circuits/hold", false)]
    [InlineData("/resilience/clients/release", false)]
    [InlineData("/resilience/jobs", false)]
    [InlineData("/resilience/letters/1/replay", false)]
    [InlineData("/", false)]
    public void What_stops_or_takes_back_is_known_by_its_path(string path, bool expected) =>
        PostRules.StopsOrTakesBack(path).ShouldBe(expected);

    [Fact]
    public async Task Every_answer_has_the_header_fields_that_keep_it_from_caches_and_from_being_run()
    {
        await using var host = await ApiHost.StartAsync(b => Add(b), app => app.MapHttpResilienceApi().AllowAnonymous());

        foreach (string address in Addresses)
        {
            var answer = await host.GetAsync(address);
            answer["X-Content-Type-Options"].ShouldBe("nosniff");
            answer["Cache-Control"].ShouldBe("no-store, no-cache");
            answer["Pragma"].ShouldBe("no-cache");
            answer["Referrer-Policy"].ShouldBe("same-origin");
            answer["Content-Security-Policy"].ShouldBe("default-src 'none'; frame-ancestors 'none'");
        }
    }

    [Theory]
    [InlineData("cross-site", HttpStatusCode.Forbidden)]
    [InlineData("same-site", HttpStatusCode.Forbidden)]
    [InlineData("Same-Origin", HttpStatusCode.Forbidden)]
    [InlineData("", HttpStatusCode.Forbidden)]
    [InlineData("same-origin, cross-site", HttpStatusCode.Forbidden)]
    [InlineData("same-origin", HttpStatusCode.UnprocessableEntity)]
    [InlineData("none", HttpStatusCode.UnprocessableEntity)]
    public async Task A_change_that_another_site_sent_is_refused(string site, HttpStatusCode expected)
    {
        await using var host = await ApiHost.StartAsync(b => Add(b), app => app.MapHttpResilienceApi().RequireAuthorization("staff"));

        (await host.PostAsync("letters/purge", headers: ("Sec-Fetch-Site", site))).ShouldBeProblem(expected);
        (await host.GetAsync("letters", headers: ("Sec-Fetch-Site", site))).ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("text/plain", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/x-www-form-urlencoded", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("multipart/form-data; boundary=a", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/jsonp", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("text/plain; application/json", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/json; charset=utf-16", HttpStatusCode.UnsupportedMediaType)]
    [InlineData(null, HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/json", HttpStatusCode.UnprocessableEntity)]
    [InlineData("Application/JSON; charset=\"UTF-8\"", HttpStatusCode.UnprocessableEntity)]
    public async Task A_change_is_JSON(string? contentType, HttpStatusCode expected)
    {
        await using var host = await ApiHost.StartAsync(b => Add(b), app => app.MapHttpResilienceApi().RequireAuthorization("staff"));
        using var content = new ByteArrayContent("{}"u8.ToArray());
        if (contentType is not null)
            content.Headers.TryAddWithoutValidation("Content-Type", contentType);

        (await host.SendAsync(HttpMethod.Post, "letters/purge", ApiHost.Operator, content)).ShouldBeProblem(expected);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_request_of_more_than_a_MiB_is_refused(bool saysItsLength)
    {
        await using var host = await ApiHost.StartAsync(b => Add(b), app => app.MapHttpResilienceApi().RequireAuthorization("staff"));
        byte[] json = Encoding.UTF8.GetBytes($$"""{"settledBefore":"{{new string('x', 1024 * 1024)}}"}""");
        using HttpContent content = saysItsLength ? new ByteArrayContent(json) : new StreamContent(new Unsized(json));
        content.Headers.ContentType = new("application/json");

        var answer = await host.SendAsync(HttpMethod.Post, "letters/purge", ApiHost.Operator, content);

        answer.ShouldBeProblem(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task A_deeply_nested_request_is_refused_and_ends_nothing()
    {
        await using var host = await ApiHost.StartAsync(b => Add(b), app => app.MapHttpResilienceApi().RequireAuthorization("staff"));

        (await host.PostAsync("letters/purge", $$"""{"filter":{{new string('[', 100_000)}}"""))
            .ShouldBeProblem(HttpStatusCode.UnprocessableEntity);
        (await host.GetAsync("counts")).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Without_OperatePolicy_nobody_may_change_anything_and_the_contact_is_named()
    {
        await using var host = await ApiHost.StartAsync(
            b => Add(b, o => (o.OperatePolicy, o.Contact) = (null, "#payments")),
            app => app.MapHttpResilienceApi().RequireAuthorization("staff"));

        (await host.PostAsync("letters/purge")).ShouldBeProblem(HttpStatusCode.Forbidden)["detail"]!.GetValue<string>()
            .ShouldBe("Nobody may change anything: the application sets no OperatePolicy. Contact: #payments.");
    }

    [Fact]
    public async Task Who_has_no_name_may_not_change_anything()
    {
        await using var host = await ApiHost.StartAsync(b => Add(b), app => app.MapHttpResilienceApi().RequireAuthorization("staff"));
        await using var named = await ApiHost.StartAsync(
            b => Add(b, o => o.Who = _ => "the team"), app => app.MapHttpResilienceApi().RequireAuthorization("staff"));
        const string Nameless = "; staff, operators";

        (await host.PostAsync("letters/purge", person: Nameless)).ShouldBeProblem(HttpStatusCode.Forbidden);
        (await named.PostAsync("letters/purge", person: Nameless)).ShouldBeProblem(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task A_person_changes_20_things_a_minute_and_is_told_when_to_go_on()
    {
        await using var host = await ApiHost.StartAsync(b => Add(b), app => app.MapHttpResilienceApi().RequireAuthorization("staff"));

        for (int i = 0; i < 20; i++)
            (await host.PostAsync("letters/purge")).ShouldBeProblem(HttpStatusCode.UnprocessableEntity);
        var refused = await host.PostAsync("letters/purge");

        refused.ShouldBeProblem(HttpStatusCode.TooManyRequests);
        int.Parse(refused["Retry-After"]!, System.Globalization.CultureInfo.InvariantCulture).ShouldBeInRange(1, 60);
        (await host.PostAsync("letters/purge", person: ApiHost.Other)).ShouldBeProblem(HttpStatusCode.UnprocessableEntity);
        (await host.GetAsync("counts", ApiHost.Operator)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_store_that_does_not_answer_is_503_and_a_fault_500_each_without_what_it_was()
    {
        await using var away = await StartWithAsync(new HttpResilienceStorageException("host db.internal is down"));
        await using var lost = await StartWithAsync(new HttpResilienceStorageException("cut") { MayHaveBeenMade = true });
        await using var faulty = await StartWithAsync(new FormatException("secret at C:\\app"));

        var unavailable = (await away.GetAsync("counts")).ShouldBeProblem(HttpStatusCode.ServiceUnavailable);
        var failed = (await faulty.GetAsync("counts")).ShouldBeProblem(HttpStatusCode.InternalServerError);

        unavailable.ToJsonString().ShouldNotContain("db.internal");
        (await lost.GetAsync("counts")).ShouldBeProblem(HttpStatusCode.ServiceUnavailable)["detail"]!.GetValue<string>()
            .ShouldStartWith("The change may have been made");
        failed.AsObject().Select(p => p.Key).ShouldBe(["title", "status", "detail"]);
        failed.ToJsonString().ShouldNotContain("secret");
        away.Log.Lines.Where(l => l.EventId == 902).ShouldHaveSingleItem();
        faulty.Log.Lines.Where(l => l.EventId == 903).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_change_that_fails_for_no_known_reason_is_a_fault_and_a_missing_key_is_none()
    {
        var letter = Storage.Letters.Plain(status: DeadLetterStatus.RequiresReview);
        await using var faulty = await StartWithAsync(letter, new ObjectDisposedException("the store"));
        await using var odd = await StartWithAsync(letter, new InvalidOperationException("odd"));
        await using var keyless = await StartWithAsync(letter with { KeyIsMissing = true }, new InvalidOperationException("no key"));
        string path = $"letters/{letter.Id}/replay";

        (await faulty.PostAsync(path, """{"expectedVersion":0}""")).ShouldBeProblem(HttpStatusCode.InternalServerError);
        (await odd.PostAsync(path, """{"expectedVersion":0}""")).ShouldBeProblem(HttpStatusCode.InternalServerError);
        (await keyless.PostAsync(path, """{"expectedVersion":0}""")).ShouldBeProblem(HttpStatusCode.Conflict)["title"]!.GetValue<string>()
            .ShouldStartWith("The key that protects this letter is missing");
        faulty.Log.Lines.Where(l => l.EventId == 903).ShouldHaveSingleItem();

        static Task<ApiHost> StartWithAsync(DeadLetter letter, Exception exception)
        {
            var review = new Mock<IDeadLetterReview>();
            review.Setup(r => r.FindAsync(letter.Id, It.IsAny<CancellationToken>())).ReturnsAsync(letter);
            review.Setup(r => r.ReplayAsync(letter.Id, 0, "olga", TimeSpan.Zero, It.IsAny<CancellationToken>()))
                .Returns(Task.FromException<DeadLetter>(exception));
            return ApiSetupTests.StartWithAsync(review.Object);
        }
    }

    [Fact]
    public async Task A_corrected_letter_goes_to_its_own_host_the_base_address_of_its_client_or_an_allowed_one()
    {
        await using var host = await ApiHost.StartAsync(
            b =>
            {
                Add(b);
                b.Services.AddResilientHttpClient("billing", o => o.DeadLetter.AllowedAuthorities = ["https://two.example.com"])
                    .ConfigureHttpClient(c => c.BaseAddress = new("https://one.example.com/v1/"));
            },
            app => app.MapHttpResilienceApi().RequireAuthorization("staff"));
        var store = host.Services.GetRequiredService<IDeadLetterStore>();
        (string Host, HttpStatusCode Status)[] hosts =
        [
            ("api.example.com", HttpStatusCode.OK), ("one.example.com", HttpStatusCode.OK), ("two.example.com", HttpStatusCode.OK),
            ("three.example.com", HttpStatusCode.UnprocessableEntity), ("one.example.com:8443", HttpStatusCode.UnprocessableEntity),
            ("one.example.com.", HttpStatusCode.UnprocessableEntity), ("one.example.com@evil.test", HttpStatusCode.UnprocessableEntity),
        ];

        foreach (var (name, status) in hosts)
        {
            var letter = Storage.Letters.Plain(status: DeadLetterStatus.RequiresReview);
            await store.AddAsync(letter, TestContext.Current.CancellationToken);
            string json = $$"""{"expectedVersion":0,"uri":"https://{{name}}/invoices"}""";

            (await host.PostAsync($"letters/{letter.Id}/resubmit", json)).ShouldBe(status);
        }
    }

    [Fact]
    public async Task An_application_without_a_store_says_which_line_turns_letters_on()
    {
        await using var host = await ApiHost.StartAsync(
            b => b.Services.AddHttpResilienceApi(), app => app.MapHttpResilienceApi().AllowAnonymous());

        (await host.GetAsync("letters")).ShouldBeProblem(HttpStatusCode.ServiceUnavailable)["detail"]!.GetValue<string>()
            .ShouldContain("AddHttpResilienceStorage");
        (await host.GetAsync("clients")).ShouldBe(HttpStatusCode.OK).Json["clients"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task Clients_have_their_hosts_and_circuits()
    {
        await using var api = await FaultServer.StartAsync(new FaultScript().Status(200), null, TestContext.Current.CancellationToken);
        await using var host = await ApiHost.StartAsync(
            b =>
            {
                Add(b);
                b.Services.AddResilientHttpClient("billing").ConfigureHttpClient(c => c.BaseAddress = api.Uri);
            },
            app => app.MapHttpResilienceApi().RequireAuthorization("staff"));
        using var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("billing");
        (await client.GetAsync(new Uri("x", UriKind.Relative), TestContext.Current.CancellationToken)).Dispose();

        var billing = (await host.GetAsync("clients")).ShouldBe(HttpStatusCode.OK).Json["clients"]!.AsArray().ShouldHaveSingleItem()!;

        billing["name"]!.GetValue<string>().ShouldBe("billing");
        var server = billing["hosts"]!.AsArray().ShouldHaveSingleItem()!;
        $"{server["host"]} {server["circuit"]} {server["circuitText"]}".ShouldBe(
            $"{api.Uri.GetLeftPart(UriPartial.Authority)} closed Works");
    }

    [Fact]
    public async Task Below_a_path_base_and_another_prefix_the_next_page_is_where_this_one_is()
    {
        var storage = new InMemoryStorage();
        await using var host = await ApiHost.StartAsync(
            b =>
            {
                ApiHost.AddPeople(b.Services);
                b.Services.AddHttpResilienceStorage(s => s.UseInMemory(storage));
                b.Services.AddHttpResilienceApi();
            },
            app =>
            {
                app.UsePathBase("/shöp");
                app.UseRouting();
                app.UseAuthentication().UseAuthorization();
                app.MapGroup("/ops").MapHttpResilienceApi("v1").RequireAuthorization("staff");
            });
        var store = host.Services.GetRequiredService<IDeadLetterStore>();
        for (int i = 0; i < 3; i++)
            await store.AddAsync(Storage.Letters.Plain(), TestContext.Current.CancellationToken);

        var page = (await host.GetAsync("/sh%C3%B6p/ops/v1/letters?limit=2&client=billing")).ShouldBe(HttpStatusCode.OK);
        string next = page.Json["next"]!.GetValue<string>();

        next.ShouldStartWith("/sh%C3%B6p/ops/v1/letters?client=billing&limit=2&before=");
        (await host.GetAsync(next)).ShouldBe(HttpStatusCode.OK).Json["letters"]!.AsArray().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Mapping_without_adding_names_the_line_that_is_missing()
    {
        var e = await Should.ThrowAsync<InvalidOperationException>(() => ApiHost.StartAsync(_ => { }, app => app.MapHttpResilienceApi()));

        e.Message.ShouldContain("builder.Services.AddHttpResilienceApi(");
    }

    private static void Add(WebApplicationBuilder builder, Action<HttpResilienceApiOptions>? options = null)
    {
        ApiHost.AddPeople(builder.Services);
        builder.Services.AddHttpResilienceStorage(s => s.UseInMemory(new InMemoryStorage()));
        builder.Services.AddHttpResilienceApi(o =>
        {
            o.OperatePolicy = "operators";
            options?.Invoke(o);
        });
    }

    private static Task<ApiHost> StartWithAsync(Exception exception)
    {
        var review = new Mock<IDeadLetterReview>();
        review.Setup(r => r.CountAsync(It.IsAny<CancellationToken>())).Returns(Task.FromException<DeadLetterCounts>(exception));
        return StartWithAsync(review.Object);
    }

    private static Task<ApiHost> StartWithAsync(IDeadLetterReview review) => ApiHost.StartAsync(
        b =>
        {
            Add(b);
            b.Services.AddSingleton(review);
        },
        app => app.MapHttpResilienceApi().RequireAuthorization("staff"));

    /// <summary>A stream whose length is not known, so that it is sent in chunks.</summary>
    private sealed class Unsized(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
