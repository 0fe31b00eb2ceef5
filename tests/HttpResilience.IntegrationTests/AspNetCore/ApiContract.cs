using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using HttpResilience.AspNetCore;
using HttpResilience.IntegrationTests.Storage;

namespace HttpResilience.IntegrationTests.AspNetCore;

public sealed class SqliteApiTests : ApiContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlApiTests(PostgreSqlServer server) : ApiContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

/// <summary>The API over a real connection and a real store.</summary>
public abstract class ApiContract : StorageContract
{
    private IDeadLetterStore Store => field ??= Database.Open().DeadLetters;

    [Fact]
    public async Task Every_address_answers_only_those_who_may_see_and_changes_need_operators_besides()
    {
        await using var host = await StartAsync();
        var letter = await AddAsync(Refused("Invoice 17 has no customer"));
        string[] reads =
        [
            "letters", $"letters/{letter.Id}", "letters/purge?settledBefore=30d", "groups", "counts", "unreplayed", "clients",
            "openapi.json",
        ];
        string[] changes =
        [
            $"letters/{letter.Id}/replay", $"letters/{letter.Id}/resolve", $"letters/{letter.Id}/resubmit", $"letters/{letter.Id}/reopen",
            $"letters/{letter.Id}/cancel", "letters/purge",
        ];

        foreach (string read in reads)
        {
            (await host.GetAsync(read, person: null)).ShouldBe(HttpStatusCode.Unauthorized);
            (await host.GetAsync(read, "eve; guests")).ShouldBe(HttpStatusCode.Forbidden);
            (await host.GetAsync(read)).ShouldBe(HttpStatusCode.OK);
        }

        foreach (string change in changes)
        {
            (await host.PostAsync(change, person: null)).ShouldBe(HttpStatusCode.Unauthorized);
            (await host.PostAsync(change, person: "eve; operators")).ShouldBe(HttpStatusCode.Forbidden);
            var answer = await host.PostAsync(change, """{"expectedVersion":0}""", ApiHost.Staff);
            answer.ShouldBeProblem(HttpStatusCode.Forbidden)["detail"]!.GetValue<string>()
                .ShouldBe("Changing something needs the policy 'operators'.");
        }

        (await Store.FindAsync(letter.Id, Stop)).ShouldNotBeNull().Version.ShouldBe(letter.Version);
    }

    [Fact]
    public async Task A_letter_is_shown_with_all_but_the_bytes_of_its_body()
    {
        await using var host = await StartAsync();
        var letter = await AddAsync(
            Letters.Full() with { ProtectedWith = null, Status = DeadLetterStatus.RequiresReview, Resolution = null });

        var answer = (await host.GetAsync($"letters/{letter.Id}")).ShouldBe(HttpStatusCode.OK);

        answer["ETag"].ShouldBe($"\"{letter.Version}\"");
        var json = answer.Json;
        json["status"]!.GetValue<string>().ShouldBe("needs-person");
        json["statusText"]!.GetValue<string>().ShouldBe("Needs a person");
        json["uri"]!.GetValue<string>().ShouldBe(letter.OriginalUri);
        json["headers"]!.AsArray().Select(h => $"{h!["name"]}={h["value"]}").ShouldBe(letter.Headers.Select(h => $"{h.Key}={h.Value}"));
        json["leftOut"]!.AsArray().Select(n => n!.GetValue<string>()).ShouldBe(letter.LeftOut);
        json["body"]!["bytes"]!.GetValue<int>().ShouldBe(6);
        json["group"]!.GetValue<string>().ShouldBe(letter.Fingerprint);
        json["tags"]!["é"]!.GetValue<string>().ShouldBe("ü");
    }

    [Theory]
    [InlineData(BodyVisibility.Operators, ApiHost.Staff, false, true)]
    [InlineData(BodyVisibility.Operators, ApiHost.Operator, true, false)]
    [InlineData(BodyVisibility.Everyone, ApiHost.Staff, true, false)]
    [InlineData(BodyVisibility.Nobody, ApiHost.Staff, false, false)]
    [InlineData(BodyVisibility.Nobody, ApiHost.Operator, false, false)]
    public async Task Who_may_only_see_sees_JSON_with_its_secrets_struck_out(
        BodyVisibility visibility, string person, bool download, bool text)
    {
        const string Json = """{"name":"Ä", "password" : "p-w","card":{"number":4111},"list":[{"iban":"DE1"}, 1.50],"pin":null}""";
        await using var host = await StartAsync(o => o.ShowBodies = visibility);
        var letter = await AddAsync(Refused("a") with
        {
            Headers = [new("Content-Type", "application/json; charset=utf-16")],
            Body = Encoding.Unicode.GetBytes(Json),
        });

        var body = (await host.GetAsync($"letters/{letter.Id}", person)).ShouldBe(HttpStatusCode.OK).Json["body"]!;

        body["download"]!.GetValue<bool>().ShouldBe(download);
        (await host.GetAsync($"letters/{letter.Id}/body", person)).ShouldBe(download ? HttpStatusCode.OK : HttpStatusCode.Forbidden);
        body["text"]?.GetValue<string>().ShouldBe(
            text ? """{"name":"Ä", "password" : "***","card":"***","list":[{"iban":"***"}, 1.50],"pin":null}""" : null);
        (body["text"] is not null).ShouldBe(text);
    }

    [Theory]
    [InlineData("application/json", "{\"password\":\"p-w\"")]
    [InlineData("application/x-www-form-urlencoded", "password=p-w")]
    [InlineData("application/json", "{\"\\ud800password\":\"p-w\"}")]
    public async Task A_body_in_which_no_field_can_be_struck_out_is_not_shown(string contentType, string content)
    {
        await using var host = await StartAsync();
        var letter = await AddAsync(
            Refused("a") with { Headers = [new("Content-Type", contentType)], Body = Encoding.UTF8.GetBytes(content) });

        (await host.GetAsync($"letters/{letter.Id}")).Text.ShouldNotContain("p-w");
    }

    [Fact]
    public async Task A_list_has_summaries_page_by_page_until_the_last()
    {
        await using var host = await StartAsync();
        List<DeadLetter> letters = [];
        for (int i = 0; i < 5; i++)
            letters.Add(await AddAsync(Refused($"Invoice {i}", i % 2 == 0 ? DeadLetterStatus.Pending : DeadLetterStatus.RequiresReview)));
        await AddAsync(Refused("settled", DeadLetterStatus.Resolved));

        List<string> seen = [];
        string? next = "letters?status=open&limit=2";
        int pages = 0;
        while (next is not null)
        {
            var page = (await host.GetAsync(next)).ShouldBe(HttpStatusCode.OK).Json;
            page["letters"]!.AsArray().ShouldAllBe(l => l!["headers"] == null && l["body"] == null);
            seen.AddRange(page["letters"]!.AsArray().Select(l => l!["id"]!.GetValue<string>()));
            next = page["next"]?.GetValue<string>();
            pages++;
        }

        seen.ShouldBe(letters.OrderByDescending(l => l.Id).Select(l => $"{l.Id}"));
        pages.ShouldBe(3);
    }

    [Fact]
    public async Task Each_word_of_the_filter_finds_its_letter_and_no_other()
    {
        await using var host = await StartAsync();
        await AddAsync(Letters.Plain(client: "other", host: "other.example.com") with
        {
            FirstFailedAt = Noon.AddYears(-2),
            LastFailedAt = Noon.AddYears(-2),
            Method = "PUT",
        });
        var letter = await AddAsync(Refused("Café closed") with
        {
            Tenant = "t 1/ü",
            Tags = new Dictionary<string, string> { ["docType"] = "a:b" },
            Method = "PATCH",
        });
        string[] filters =
        [
            "status=needs-person", "status=needs-person,accepted", "client=billing", "tenant=t%201%2F%C3%BC", "host=api.example.com",
            "host=https%3A%2F%2FAPI.example.com", "method=PATCH", "class=validation", "code=422", "text=closed", "tag=docType:a%3Ab",
            "since=2029-12-31", "since=2029-06-01T12:00:00%2B02:00&until=2031-01-01T00:00Z", $"group={letter.Fingerprint}",
            "client=billing&tenant=&code=&limit=",
        ];

        foreach (string filter in filters)
        {
            var page = (await host.GetAsync($"letters?{filter}")).ShouldBe(HttpStatusCode.OK).Json;
            page["letters"]!.AsArray().Select(l => l!["id"]!.GetValue<string>()).ShouldBe([$"{letter.Id}"], filter);
        }

        (await host.GetAsync($"letters?before={letter.Id}")).Json["letters"]!.AsArray().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Titles_that_are_too_many_are_other_reasons_whose_filter_leads_to_their_letters()
    {
        await using var host = await StartAsync();
        for (int i = 0; i < 203; i++)
            await AddAsync(Refused($"{(char)('a' + (i / 26))}{(char)('a' + (i % 26))}", at: Noon.AddSeconds(i)));
        await AddAsync(Refused("aa") with { ClientName = "other" });

        var groups = (await host.GetAsync("groups?limit=1000")).ShouldBe(HttpStatusCode.OK).Json["groups"]!.AsArray();

        groups.Count.ShouldBe(202);
        var other = groups.Single(g => g!["otherReasons"] is not null)!;
        (other["title"]!.GetValue<string>(), other["otherReasons"]!.GetValue<int>(), other["count"]!.GetValue<int>(), other["fingerprint"])
            .ShouldBe(("Other reasons", 3, 3, null));
        string filter = string.Join('&', other["filter"]!.AsObject().Select(w => $"{w.Key}={w.Value}"));
        filter.ShouldBe("status=open&client=billing&method=POST&class=validation&code=422");
        var oldest = (await host.GetAsync($"letters?limit=200&until={Noon.AddSeconds(3):yyyy-MM-ddTHH:mm:ssZ}&{filter}")).Json["letters"]!;
        oldest.AsArray().Select(l => l!["title"]!.GetValue<string>()).ShouldBe(["ac", "ab", "aa"]);
        var own = groups.First(g => g!["otherReasons"] is null)!;
        own["filter"]!.AsObject().ShouldHaveSingleItem().Value!.GetValue<string>().ShouldBe(own["fingerprint"]!.GetValue<string>());
    }

    [Fact]
    public async Task Hostile_filters_are_refused_by_name_or_find_nothing()
    {
        await using var host = await StartAsync();
        await AddAsync(Refused("Invoice 1"));
        string longText = new('x', 501);
        string[] refused =
        [
            "stat=open", "status=closed", "status=open,", "status=OPEN", "status=Pending", "status=0", "status=open%00", "class=Validation",
            "class=3", "code=42", "code=1000", "code=-1", "code=4e2", "code=%D9%A4%D9%A0%D9%A4", "code=99999999999999999999",
            $"text={longText}", $"client={longText}", "text=%00", "client=a%00b", "tag=docType", "tag=:", "tag=:x", "since=yesterday",
            "since=99999999d", "since=-1d", "since=9999999999999999999h", "since=0000-00-00", "since=2026-13-01", "until=d",
            "since=2026-11-28T03:00:00+01:00", "group=abc", "group=%27%20OR%201=1--", "before=1", "before=%7B%7D", "client=a&client=b",
            "limit=0", "limit=201", "limit=-1", "limit=1e1", "limit=1&limit=2", "__proto__=1", "host=%2F", "host=ftp%3A%2F%2Fa",
            "host=https%3A%2F%2Fa%2Fb", "host=https%3A%2F%2Fu%3Ap%40a", $"{longText}=1",
        ];
        string[] findNothing =
        [
            "client=%27%3B%20DROP%20TABLE%20letters%3B--", "text=%25", "text=_nvoice", "text=%5C", "text=%27%22%60", "text=%3Cscript%3E",
            "text=%E2%80%AE", "text=%F0%9F%92%A9", "tenant=%EF%BF%BD", "client=%FF%FE", "tag=a%27b:c%22d", "tag=a:",
            "since=9999-12-31T23:59:59.9999999Z", "until=0001-01-01", "host=xn--a", "host=%5B::1%5D", "host=a.b.c:99",
            "before=00000000-0000-0000-0000-000000000000", "group=000000000000000000000000", "code=999", "method=%0d%0aX:1",
        ];

        foreach (string filter in refused)
        {
            var answer = await host.GetAsync($"letters?{filter}");
            var errors = answer.ShouldBeProblem(HttpStatusCode.UnprocessableEntity)["errors"].ShouldNotBeNull(filter).AsObject();
            string name = filter.Split('=')[0];
            errors.Select(e => e.Key).ShouldBe([name.Length > 40 ? $"{name[..40]}…" : name], filter);
        }

        foreach (string filter in findNothing)
        {
            var answer = (await host.GetAsync($"letters?{filter}")).ShouldBe(HttpStatusCode.OK);
            answer.Json["letters"]!.AsArray().ShouldBeEmpty(filter);
        }
    }

    [Fact]
    public async Task Hostile_texts_of_a_letter_come_back_as_JSON_that_says_the_same()
    {
        await using var host = await StartAsync();
        const string Text = "</script><img src=x onerror=alert(1)> \"quoted\" \\ \u202e \u2028 {{7*7}} 💩 \t =1+1";
        var letter = await AddAsync(Refused(Text) with
        {
            Tenant = Text,
            Tags = new Dictionary<string, string> { [Text] = Text },
            Headers = [new("X-Odd", Text)],
            ErrorDetail = Text,
        });

        var answer = (await host.GetAsync($"letters/{letter.Id}")).ShouldBe(HttpStatusCode.OK);

        answer.Text.ShouldNotContain("<");
        answer["Content-Type"].ShouldBe("application/json; charset=utf-8");
        var json = answer.Json;
        string[] texts =
        [
            json["reason"]!.GetValue<string>(), json["tenant"]!.GetValue<string>(), json["tags"]![Text]!.GetValue<string>(),
            json["headers"]![0]!["value"]!.GetValue<string>(), json["detail"]!.GetValue<string>(),
        ];
        texts.ShouldAllBe(t => t == Text);
    }

    [Fact]
    public async Task Groups_and_counts_say_how_many_letters_there_are()
    {
        await using var host = await StartAsync();
        await AddAsync(Refused("Invoice 1 exists", DeadLetterStatus.Pending, Noon.AddDays(1)));
        await AddAsync(Refused("Customer 12 is missing"));
        await AddAsync(Refused("Customer 13 is missing"));
        await AddAsync(Refused("done", DeadLetterStatus.Resolved));

        var groups = (await host.GetAsync("groups")).ShouldBe(HttpStatusCode.OK).Json["groups"]!.AsArray();
        var counts = (await host.GetAsync("counts")).ShouldBe(HttpStatusCode.OK).Json;

        groups.Select(g => $"{g!["title"]}: {g["count"]}, {g["needsPerson"]}").ShouldBe(
            ["Customer # is missing: 2, 2", "Invoice # exists: 1, 0"]);
        counts.ToJsonString().ShouldStartWith(
            """{"needsPerson":2,"waiting":1,"beingSent":0,"accepted":0,"dealtWith":1,"replaced":0,"oldestDueAt":""");
        (await host.GetAsync("groups?status=waiting")).Json["groups"]!.AsArray().Count.ShouldBe(1);
        (await host.GetAsync("groups?status=accepted")).ShouldBeProblem(HttpStatusCode.UnprocessableEntity);
        (await host.GetAsync($"groups?before={Guid.NewGuid()}")).ShouldBeProblem(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task A_letter_is_sent_again_at_the_version_that_was_seen()
    {
        await using var host = await StartAsync();
        var letter = await AddAsync(Refused("Invoice 17"));

        var answer = await host.PostAsync($"letters/{letter.Id}/replay", $$"""{"expectedVersion":{{letter.Version}}}""");

        answer.ShouldBe(HttpStatusCode.OK).Json["status"]!.GetValue<string>().ShouldBe("waiting");
        answer.Json["resolution"]!["by"]!.GetValue<string>().ShouldBe("olga");
        var stored = (await Store.FindAsync(letter.Id, Stop)).ShouldNotBeNull();
        (stored.Status, stored.Version).ShouldBe((DeadLetterStatus.Pending, letter.Version + 1));
        answer["ETag"].ShouldBe($"\"{stored.Version}\"");
        var log = host.Log.Lines.Where(l => l.EventId == 901).ShouldHaveSingleItem();
        log.Text.ShouldBe($"olga: letters/{{id}}/replay {letter.Id}");
    }

    [Fact]
    public async Task A_letter_is_marked_as_dealt_with_with_the_words_of_the_person()
    {
        await using var host = await StartAsync();
        var letter = await AddAsync(Refused("Invoice 17"));

        var answer = await host.PostAsync(
            $"letters/{letter.Id}/resolve", """{"action":"credited","notes":"by \u0000 hand"}""",
            headers: ("If-Match", $"\"{letter.Version}\""));

        answer.ShouldBe(HttpStatusCode.OK).Json["status"]!.GetValue<string>().ShouldBe("dealt-with");
        var stored = (await Store.FindAsync(letter.Id, Stop)).ShouldNotBeNull().Resolution.ShouldNotBeNull();
        (stored.Action, stored.Notes, stored.By).ShouldBe(("credited", "by \ufffd hand", "olga"));
    }

    [Fact]
    public async Task Of_two_operators_at_once_the_second_gets_what_the_first_did()
    {
        await using var host = await StartAsync();
        var letter = await AddAsync(Refused("Invoice 17"));
        string json = $$"""{"expectedVersion":{{letter.Version}}}""";
        string[] people = [ApiHost.Operator, ApiHost.Other];

        var answers = await Task.WhenAll(people.Select(person => host.PostAsync($"letters/{letter.Id}/resolve", json, person)));

        var won = answers.Single(a => a.Status == HttpStatusCode.OK).Json;
        var lost = answers.Single(a => a.Status != HttpStatusCode.OK).ShouldBeProblem(HttpStatusCode.Conflict);
        string winner = won["resolution"]!["by"]!.GetValue<string>();
        lost["letter"]!["status"]!.GetValue<string>().ShouldBe("dealt-with");
        lost["letter"]!["resolution"]!["by"]!.GetValue<string>().ShouldBe(winner);
        lost["letter"]!["version"]!.GetValue<long>().ShouldBe(letter.Version + 1);
        lost["detail"]!.GetValue<string>().ShouldContain($"{winner}: {LetterAction(won)}");
        (await Store.FindAsync(letter.Id, Stop)).ShouldNotBeNull().Version.ShouldBe(letter.Version + 1);
    }

    [Fact]
    public async Task What_was_done_by_mistake_is_taken_back()
    {
        await using var host = await StartAsync();
        var letter = await AddAsync(Refused("Invoice 17"));
        string path = $"letters/{letter.Id}";
        (string Deed, string Status)[] deeds =
            [("resolve", "dealt-with"), ("reopen", "needs-person"), ("replay", "waiting"), ("cancel", "needs-person")];

        foreach (var (deed, status) in deeds)
        {
            string seen = (await host.GetAsync(path))["ETag"]!;
            (await host.PostAsync($"{path}/{deed}", headers: ("If-Match", seen))).ShouldBe(HttpStatusCode.OK).Json["status"]!
                .GetValue<string>().ShouldBe(status);
        }

        string last = (await host.GetAsync(path))["ETag"]!;
        foreach (string deed in new[] { "reopen", "cancel" })
        {
            (await host.PostAsync($"{path}/{deed}", headers: ("If-Match", last))).ShouldBeProblem(HttpStatusCode.Conflict)["title"]!
                .GetValue<string>().ShouldEndWith("Nothing was done.");
            (await host.PostAsync($"{path}/{deed}", headers: ("If-Match", "\"0\""))).ShouldBeProblem(HttpStatusCode.Conflict)["letter"]
                .ShouldNotBeNull();
        }
    }

    [Fact]
    public async Task A_letter_that_is_settled_or_being_sent_is_not_changed()
    {
        await using var host = await StartAsync();

        foreach (var status in new[] { DeadLetterStatus.Resolved, DeadLetterStatus.Replayed, DeadLetterStatus.InProgress })
        {
            var letter = await AddAsync(Refused("Invoice 17", status));
            foreach (string change in new[] { "replay", "resolve", "resubmit" })
            {
                var answer = await host.PostAsync($"letters/{letter.Id}/{change}", $$"""{"expectedVersion":{{letter.Version}}}""");
                var problem = answer.ShouldBeProblem(HttpStatusCode.Conflict);
                problem["letter"]!["id"]!.GetValue<Guid>().ShouldBe(letter.Id);
                problem["title"]!.GetValue<string>().ShouldBe(status is DeadLetterStatus.InProgress
                    ? "The letter is being sent at this moment. Nothing was done." : "The letter is already settled. Nothing was done.");
            }

            (await Store.FindAsync(letter.Id, Stop)).ShouldNotBeNull().Version.ShouldBe(letter.Version);
        }
    }

    [Fact]
    public async Task A_corrected_letter_takes_the_place_of_the_old_one()
    {
        await using var host = await StartAsync();
        var letter = await AddAsync(Refused("Invoice 17"));

        var answer = await host.PostAsync($"letters/{letter.Id}/resubmit", $$"""
            {"expectedVersion":{{letter.Version}},"method":"PUT","uri":"https://api.example.com/invoices/17",
             "headers":[{"name":"Content-Type","value":"application/json; charset=utf-16"},{"name":"X-A","value":"1"}],
             "text":"{\"vat\":\"ü\"}"}
            """);

        var json = answer.ShouldBe(HttpStatusCode.OK).Json;
        json["replaces"]!.GetValue<Guid>().ShouldBe(letter.Id);
        var stored = (await Store.FindAsync(json["id"]!.GetValue<Guid>(), Stop)).ShouldNotBeNull();
        (stored.Method, stored.Uri.AbsoluteUri, stored.Status).ShouldBe(
            ("PUT", "https://api.example.com/invoices/17", DeadLetterStatus.Pending));
        Encoding.Unicode.GetString(stored.Body!.Value.Span).ShouldBe("""{"vat":"ü"}""");
        stored.Headers.ShouldContain(new KeyValuePair<string, string>("X-A", "1"));
        var old = (await Store.FindAsync(letter.Id, Stop)).ShouldNotBeNull();
        (old.Status, old.ReplacedBy).ShouldBe((DeadLetterStatus.Resubmitted, stored.Id));
    }

    [Fact]
    public async Task A_correction_that_is_not_valid_says_which_field_and_changes_nothing()
    {
        await using var host = await StartAsync();
        var letter = await AddAsync(Refused("Invoice 17"));
        (string Json, string Field)[] corrections =
        [
            ("""{"method":"GET /"}""", "method"), ("""{"method":""}""", "method"), ("""{"uri":"/relative"}""", "uri"),
            ("""{"uri":"javascript:alert(1)"}""", "uri"), ("""{"uri":"https://evil.example.com/invoices"}""", "uri"),
            ("""{"uri":"http://api.example.com/invoices"}""", "uri"), ("""{"uri":"https://api.example.com:444/"}""", "uri"),
            ("""{"uri":"https://user:secret@api.example.com/"}""", "uri"), ("""{"uri":"file:///etc/passwd"}""", "uri"),
            ("""{"headers":[{"name":"X A","value":"1"}]}""", "headers"),
            ("""{"headers":[{"name":"X-A","value":"1\r\nX-B: 2"}]}""", "headers"),
            ("""{"headers":[{"name":"Content-Length","value":"5"}]}""", "headers"),
            ("""{"headers":[{"name":"Authorization","value":"Bearer x"}]}""", "headers"), ("""{"body":"AAH/"}""", "body"),
            ("""{"headers":[{"name":"transfer-encoding","value":"chunked"}]}""", "headers"),
            ("""{"headers":[{"name":"X-A","value":null}]}""", "headers[0].value"), ("""{"text":"{","body":"e30="}""", "body"),
            ("""{"noBody":true,"text":"{}"}""", "body"), ("""{"body":"not base64!"}""", "body"), ("""{"text":"{\"a\":"}""", "text"),
            ("""{"headers":[{"name":"Content-Type","value":"text/plain; charset=us-ascii"}],"text":"ü"}""", "text"),
            ("""{"headers":[{"name":"Content-Type","value":"text/plain; charset=klingon"}],"text":"a"}""", "text"),
            ("""
                {"headers":[{"name":"Content-Type","value":"text/xml"}],
                 "text":"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"}
                """, "text"),
            ("""{"text":"\ud800"}""", "text"), ("""{"unknown":1}""", "unknown"), ("""{"method":"PUT","method":"POST"}""", "method"),
            ("""{"method":5}""", "method"), ("""[]""", "$"), ("null", "$"), ("""{"method":"PUT"}}""", "$"), ("{", "$"),
        ];

        foreach (var (json, field) in corrections)
        {
            var answer = await host.PostAsync($"letters/{letter.Id}/resubmit", json, headers: ("If-Match", $"\"{letter.Version}\""));
            var errors = answer.ShouldBeProblem(HttpStatusCode.UnprocessableEntity)["errors"].ShouldNotBeNull(json).AsObject();
            errors.Select(e => e.Key).ShouldContain(field, $"{json}: {answer.Text}");
        }

        (await Store.FindAsync(letter.Id, Stop)).ShouldNotBeNull().Version.ShouldBe(letter.Version);
        (await Store.ListAsync(new(), Stop)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_letter_without_its_body_is_corrected_with_one_only()
    {
        await using var host = await StartAsync();
        var letter = await AddAsync(Refused("Invoice 17") with { Body = null, BodyIsMissing = true });
        string path = $"letters/{letter.Id}/resubmit";
        (string, string) seen = ("If-Match", $"\"{letter.Version}\"");

        var put = await host.PostAsync(path, """{"method":"PUT"}""", headers: seen);
        put.ShouldBeProblem(HttpStatusCode.UnprocessableEntity)["errors"]!["body"].ShouldNotBeNull();
        (await host.PostAsync(path, """{"noBody":true}""", headers: seen)).ShouldBeProblem(HttpStatusCode.UnprocessableEntity);
        (await host.PostAsync(path, """{"headers":[],"body":"AAH/"}""", headers: seen)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_version_that_was_seen_is_needed_in_one_way_or_both()
    {
        await using var host = await StartAsync();
        var letter = await AddAsync(Refused("Invoice 17"));
        string path = $"letters/{letter.Id}/replay";
        (string Json, string? Match, string Field)[] calls =
        [
            ("{}", null, "expectedVersion"), ("", null, "expectedVersion"), ("{}", "*", "If-Match"), ("{}", "W/\"0\"", "If-Match"),
            ("{}", "0", "If-Match"), ("{}", "\"a\"", "If-Match"), ("{}", "\"0\", \"1\"", "If-Match"), ("{}", "\"-1\"", "If-Match"),
            ("""{"expectedVersion":5}""", "\"0\"", "expectedVersion"), ("""{"expectedVersion":"0"}""", null, "expectedVersion"),
            ("""{"expectedVersion":1.5}""", null, "expectedVersion"),
            ("""{"expectedVersion":99999999999999999999}""", null, "expectedVersion"),
        ];

        foreach (var (json, match, field) in calls)
        {
            var answer = await host.PostAsync(path, json, headers: match is null ? [] : [("If-Match", match)]);
            answer.ShouldBeProblem(HttpStatusCode.UnprocessableEntity)["errors"]![field].ShouldNotBeNull($"{json} {match}: {answer.Text}");
        }

        (await host.PostAsync(path, """{"expectedVersion":7}""")).ShouldBeProblem(HttpStatusCode.Conflict);
        (await host.PostAsync(path, "", headers: ("If-Match", "\"0\""))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_letter_that_is_not_there_is_not_found()
    {
        await using var host = await StartAsync();
        string[] ids = [$"{Guid.NewGuid()}", "1", "%27", "..%2f..%2fetc", $"%7B{Guid.NewGuid()}%7D", $"{Guid.NewGuid():N}"];

        foreach (string id in ids)
        {
            (await host.GetAsync($"letters/{id}")).ShouldBeProblem(HttpStatusCode.NotFound);
            (await host.GetAsync($"letters/{id}/body", ApiHost.Operator)).ShouldBeProblem(HttpStatusCode.NotFound);
            (await host.PostAsync($"letters/{id}/replay", """{"expectedVersion":0}""")).ShouldBeProblem(HttpStatusCode.NotFound);
        }
    }

    [Fact]
    public async Task A_letter_that_cannot_be_read_is_no_store_that_is_away()
    {
        await using var host = await StartAsync();
        var letter = await AddAsync(Refused("Invoice 17"));
        await Database.ScalarAsync("UPDATE dead_letters SET failure_class = 'Newer'");

        var shown = (await host.GetAsync($"letters/{letter.Id}")).ShouldBeProblem(HttpStatusCode.InternalServerError);
        var changed = await host.PostAsync($"letters/{letter.Id}/replay", """{"expectedVersion":0}""");

        shown["title"]!.GetValue<string>().ShouldBe($"Letter {letter.Id} cannot be read.");
        changed.ShouldBeProblem(HttpStatusCode.InternalServerError)["title"]!.GetValue<string>()
            .ShouldBe(shown["title"]!.GetValue<string>());
        (await host.GetAsync("letters")).ShouldBe(HttpStatusCode.OK).Json["letters"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_body_comes_as_a_file_that_no_browser_runs()
    {
        await using var host = await StartAsync();
        byte[] body = Encoding.UTF8.GetBytes("<script>alert(1)</script>\0");
        var letter = await AddAsync(Refused("Invoice 17") with { Body = body });

        var answer = (await host.GetAsync($"letters/{letter.Id}/body", ApiHost.Operator)).ShouldBe(HttpStatusCode.OK);

        answer.Bytes.ShouldBe(body);
        answer["Content-Type"].ShouldBe("application/octet-stream");
        answer["Content-Disposition"].ShouldBe($"attachment; filename=\"letter-{letter.Id}.bin\"");
        answer["X-Content-Type-Options"].ShouldBe("nosniff");
        answer["Content-Security-Policy"].ShouldNotBeNull().ShouldStartWith("sandbox;");
        var without = await AddAsync(Refused("Invoice 18") with { Body = null, BodyIsMissing = true });
        (await host.GetAsync($"letters/{without.Id}/body", ApiHost.Operator)).ShouldBeProblem(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData(BodyVisibility.Operators, false, true)]
    [InlineData(BodyVisibility.Everyone, true, true)]
    [InlineData(BodyVisibility.Nobody, false, false)]
    public async Task Bodies_are_shown_to_those_whom_the_application_names(BodyVisibility show, bool toStaff, bool toOperators)
    {
        await using var host = await StartAsync(o => o.ShowBodies = show);
        var letter = await AddAsync(Refused("Invoice 17"));

        (await host.GetAsync($"letters/{letter.Id}/body")).ShouldBe(toStaff ? HttpStatusCode.OK : HttpStatusCode.Forbidden);
        (await host.GetAsync($"letters/{letter.Id}/body", ApiHost.Operator)).ShouldBe(
            toOperators ? HttpStatusCode.OK : HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_purge_deletes_what_was_counted_and_refuses_when_that_has_changed()
    {
        await using var host = await StartAsync();
        var old = DateTimeOffset.UtcNow.AddDays(-40);
        DeadLetterResolution done = new("Resolve", null, "olga", old);
        for (int i = 0; i < 3; i++)
            await AddAsync(Refused($"{i}", DeadLetterStatus.Resolved, old) with { Resolution = done, Tenant = "gone" });
        var lately = done with { At = DateTimeOffset.UtcNow };
        await AddAsync(Refused("new", DeadLetterStatus.Resolved, old) with { Resolution = lately, Tenant = "gone" });
        await AddAsync(Refused("open", DeadLetterStatus.RequiresReview, old) with { Tenant = "gone" });
        await AddAsync(Refused("other", DeadLetterStatus.Replayed, old) with { DueAt = old });

        var counted = (await host.GetAsync("letters/purge?tenant=gone&settledBefore=30d")).ShouldBe(HttpStatusCode.OK).Json;
        counted["count"]!.GetValue<int>().ShouldBe(3);
        string Purge(int count) => $$"""{"filter":{"tenant":"gone"},"settledBefore":"{{counted["settledBefore"]}}","count":{{count}}}""";

        (await host.PostAsync("letters/purge", Purge(50))).ShouldBeProblem(HttpStatusCode.Conflict)["count"]!.GetValue<int>().ShouldBe(3);
        (await Store.ListAsync(new(), Stop)).Count.ShouldBe(6);
        (await host.PostAsync("letters/purge", Purge(3))).ShouldBe(HttpStatusCode.OK).Json["deleted"]!.GetValue<int>().ShouldBe(3);
        (await Store.ListAsync(new(), Stop)).Select(l => l.ErrorTitle).ShouldBe(["other", "open", "new"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_purge_that_is_not_valid_deletes_nothing()
    {
        await using var host = await StartAsync();
        await AddAsync(Refused("done", DeadLetterStatus.Resolved, Noon.AddYears(-20)));
        (string Json, string Field)[] purges =
        [
            ("{}", "settledBefore"), ("""{"settledBefore":"30d"}""", "count"), ("""{"settledBefore":"30d","count":-1}""", "count"),
            ("""{"settledBefore":"9999-01-01","count":1}""", "settledBefore"), ("""{"settledBefore":"0","count":1}""", "settledBefore"),
            ("""{"settledBefore":"30d","count":1,"filter":{"status":"open"}}""", "status"),
            ("""{"settledBefore":"30d","count":1,"filter":{"tennant":"a"}}""", "tennant"),
            ("""{"settledBefore":"30d","count":1,"filter":{"before":"00000000-0000-0000-0000-000000000000"}}""", "before"),
            ("""{"settledBefore":"30d","count":1,"filter":{"tenant":"\u0000"}}""", "tenant"),
            ("""{"settledBefore":"30d","count":1,"filter":["tenant"]}""", "filter"), ("""{"olderThan":"30d"}""", "olderThan"),
        ];

        foreach (var (json, field) in purges)
        {
            var answer = await host.PostAsync("letters/purge", json);
            answer.ShouldBeProblem(HttpStatusCode.UnprocessableEntity)["errors"]![field].ShouldNotBeNull($"{json}: {answer.Text}");
        }

        (await host.GetAsync("letters/purge")).ShouldBeProblem(HttpStatusCode.UnprocessableEntity);
        (await Store.ListAsync(new(), Stop)).Count.ShouldBe(1);
    }

    private static string LetterAction(JsonNode letter) => letter["resolution"]!["action"]!.GetValue<string>();

    private Task<ApiHost> StartAsync(Action<HttpResilienceApiOptions>? options = null) =>
        ApiHost.StartAsync(services => Database.AddTo(services), options);

    private async Task<DeadLetter> AddAsync(DeadLetter letter)
    {
        (await Store.AddAsync(letter, Stop)).ShouldBeTrue();
        return (await Store.FindAsync(letter.Id, Stop)).ShouldNotBeNull();
    }

    private static DeadLetter Refused(
        string title, DeadLetterStatus status = DeadLetterStatus.RequiresReview, DateTimeOffset? at = null) =>
        Letters.Plain(status: status) with
        {
            FailureClass = FailureClass.Validation,
            StopReason = StopReason.NotRetryable,
            StatusCode = 422,
            ErrorTitle = title,
            Headers = [new("Content-Type", "application/json")],
            Body = Encoding.UTF8.GetBytes("""{"vat":"?"}"""),
            FirstFailedAt = at ?? Noon,
            LastFailedAt = at ?? Noon,
        };
}
