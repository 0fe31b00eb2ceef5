using System.Net;
using System.Text.Json.Nodes;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.AspNetCore;

public sealed class SqliteApiJobTests : ApiJobContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlApiJobTests(PostgreSqlServer server) : ApiJobContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

/// <summary>Jobs, history and what can be undone, over a real connection, a real store and a real API to which letters are sent.</summary>
public abstract class ApiJobContract : StorageContract
{
    private IHttpResilienceStorage Storage => field ??= Database.Open();

    [Fact]
    public async Task A_group_is_replayed_by_a_job_and_each_letter_tells_what_happened()
    {
        await using var invoices = await KestrelServer.StartAsync(Reply.With(201));
        await using var host = await StartAsync(invoices.Uri);
        var letters = await AddAsync(invoices.Uri, 30);
        var group = (await host.GetAsync("groups")).Json["groups"]!.AsArray().ShouldHaveSingleItem()!;

        var started = await host.PostAsync("jobs", $$"""
            {
              "action": "replay", "filter": {"group": "{{group["fingerprint"]}}"}, "count": {{group["count"]}}, "perSecond": 100,
              "notes": "API is back"
            }
            """);

        var job = started.ShouldBe(HttpStatusCode.OK).Json;
        (job["total"]!.GetValue<int>(), job["state"]!.GetValue<string>(), job["by"]!.GetValue<string>()).ShouldBe((30, "running", "olga"));
        var ended = await UntilEndedAsync(host, job);
        (ended["state"]!.GetValue<string>(), ended["taken"]!.GetValue<int>(), ended["progress"]!["accepted"]!.GetValue<int>())
            .ShouldBe(("completed", 30, 30));
        invoices.Requests.Count.ShouldBe(30);

        var letter = (await host.GetAsync($"letters/{letters[0].Id}")).Json;
        letter["history"]!.AsArray().Select(e => $"{e!["kind"]} {e["by"]} {e["code"]}").ShouldBe(
            ["failed  422", "replay-requested olga ", "replayed  201"]);
        letter["history"]![1]!["job"]!.GetValue<string>().ShouldBe(job["id"]!.GetValue<string>());
        letter["history"]![2]!["instance"]!.GetValue<string>().ShouldNotBeEmpty();
        (await host.GetAsync("jobs?state=completed")).Json["jobs"]!.AsArray().ShouldHaveSingleItem();
        (await host.GetAsync("jobs?state=running")).Json["jobs"]!.AsArray().ShouldBeEmpty();
        var activity = (await host.GetAsync("activity")).Json["activity"]!.AsArray().ShouldHaveSingleItem()!;
        (activity["action"]!.GetValue<string>(), activity["letters"]!.GetValue<int>(), activity["notes"]!.GetValue<string>())
            .ShouldBe(("StartJob", 30, "API is back"));
        (await host.GetAsync("instances")).Json["instances"]!.AsArray().ShouldHaveSingleItem()!["sendsLetters"]!.GetValue<bool>()
            .ShouldBeTrue();
    }

    [Fact]
    public async Task A_job_that_is_stopped_says_by_whom_and_leaves_the_rest()
    {
        await using var invoices = await KestrelServer.StartAsync(Reply.With(201));
        await using var host = await StartAsync(invoices.Uri);
        await AddAsync(invoices.Uri, 50);
        var job = (await host.PostAsync("jobs", """{"action":"replay","filter":{"client":"billing"},"perSecond":0.1}"""))
            .ShouldBe(HttpStatusCode.OK).Json;
        string id = job["id"]!.GetValue<string>();

        (await host.PostAsync("jobs", """{"action":"replay","filter":{"client":"billing"}}""", ApiHost.Other)).Json["id"]!
            .GetValue<string>().ShouldBe(id);
        var stopped = (await host.PostAsync($"jobs/{id}/stop", person: ApiHost.Other)).ShouldBe(HttpStatusCode.OK).Json;

        (stopped["state"]!.GetValue<string>(), stopped["stopReason"]!.GetValue<string>()).ShouldBe(("stopped", "Stopped by oskar"));
        (await Storage.DeadLetters.CountAsync(Stop))[DeadLetterStatus.RequiresReview].ShouldBeGreaterThanOrEqualTo(49);
        (await host.PostAsync($"jobs/{id}/stop")).Json["stopReason"]!.GetValue<string>().ShouldBe("Stopped by oskar");
    }

    [Fact]
    public async Task What_was_done_to_a_letter_is_taken_back()
    {
        await using var host = await StartAsync(new("http://127.0.0.1:9"), replays: false);
        var letter = (await AddAsync(new("http://127.0.0.1:9"), 1))[0];
        string of = $"letters/{letter.Id}";

        var waits = (await host.PostAsync($"{of}/replay", """{"expectedVersion":0,"delaySeconds":5}""")).ShouldBe(HttpStatusCode.OK).Json;
        waits["status"]!.GetValue<string>().ShouldBe("waiting");
        (await host.PostAsync($"{of}/cancel", """{"expectedVersion":0}""", ApiHost.Other)).ShouldBeProblem(HttpStatusCode.Conflict);
        var back = (await host.PostAsync($"{of}/cancel", """{"expectedVersion":1}""", ApiHost.Other)).ShouldBe(HttpStatusCode.OK).Json;
        (back["status"]!.GetValue<string>(), back["version"]!.GetValue<int>()).ShouldBe(("needs-person", 2));
        (await host.PostAsync($"{of}/cancel", """{"expectedVersion":2}""")).ShouldBeProblem(HttpStatusCode.Conflict)["title"]!
            .GetValue<string>().ShouldContain("nobody's request to send it is waiting");

        (await host.PostAsync($"{of}/reopen", """{"expectedVersion":2}""")).ShouldBeProblem(HttpStatusCode.Conflict);
        (await host.PostAsync($"{of}/resolve", """{"expectedVersion":2,"notes":"by hand"}""")).ShouldBe(HttpStatusCode.OK);
        (await host.PostAsync($"{of}/reopen", """{"expectedVersion":3}""")).ShouldBe(HttpStatusCode.OK).Json["status"]!
            .GetValue<string>().ShouldBe("needs-person");

        var corrected = (await host.PostAsync($"{of}/resubmit", """{"expectedVersion":4,"text":"{}","delaySeconds":5}"""))
            .ShouldBe(HttpStatusCode.OK).Json;
        var old = (await host.PostAsync($"letters/{corrected["id"]}/cancel", """{"expectedVersion":0}""")).ShouldBe(HttpStatusCode.OK).Json;
        (old["id"]!.GetValue<string>(), old["status"]!.GetValue<string>()).ShouldBe(($"{letter.Id}", "needs-person"));
        old["history"]!.AsArray().Select(e => $"{e!["kind"]} {e["by"]}{e["notes"]}").ShouldBe(
        [
            "failed ", "replay-requested olga", "cancelled oskar", "resolved olgaby hand", "reopened olga", "resubmitted olga",
            "cancelled olga",
        ]);
        var activity = (await host.GetAsync("activity?limit=4")).Json;
        activity["activity"]!.AsArray().Count.ShouldBe(4);
        (await host.GetAsync(activity["next"]!.GetValue<string>())).Json["activity"]!.AsArray().Count.ShouldBe(2);
    }

    [Fact]
    public async Task What_a_job_has_marked_as_dealt_with_is_taken_back_by_another()
    {
        await using var host = await StartAsync(new("http://127.0.0.1:9"));
        var letters = await AddAsync(new("http://127.0.0.1:9"), 5);
        var resolve = (await host.PostAsync("jobs", """{"action":"resolve","count":5,"resolution":"Credited","notes":"by hand"}"""))
            .ShouldBe(HttpStatusCode.OK).Json;
        (await UntilEndedAsync(host, resolve))["taken"]!.GetValue<int>().ShouldBe(5);
        (await Storage.DeadLetters.FindAsync(letters[0].Id, Stop))!.Resolution.ShouldNotBeNull().ShouldSatisfyAllConditions(
            r => r.Action.ShouldBe("Credited"), r => r.Notes.ShouldBe("by hand"), r => r.By.ShouldBe("olga"));

        var undo = (await host.PostAsync("jobs", $$"""{"action":"reopen","job":"{{resolve["id"]}}"}""", ApiHost.Other))
            .ShouldBe(HttpStatusCode.OK).Json;
        (undo["action"]!.GetValue<string>(), undo["job"]!.GetValue<string>(), undo["by"]!.GetValue<string>())
            .ShouldBe(("reopen", resolve["id"]!.GetValue<string>(), "oskar"));
        (await UntilEndedAsync(host, undo))["taken"]!.GetValue<int>().ShouldBe(5);

        (await Storage.DeadLetters.FindAsync(letters[0].Id, Stop))!.ShouldSatisfyAllConditions(
            l => l.Status.ShouldBe(DeadLetterStatus.RequiresReview), l => l.SuggestedAction.ShouldBe("Fix the data and resubmit"));
        (await host.PostAsync("jobs", $$"""{"action":"reopen","job":"{{undo["id"]}}"}""")).ShouldBeProblem(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task A_request_that_is_not_valid_starts_and_stops_nothing()
    {
        await using var host = await StartAsync(new("http://127.0.0.1:9"), replays: false);
        await AddAsync(new("http://127.0.0.1:9"), 20);
        (string Json, string Field)[] jobs =
        [
            ("{}", "action"), ("""{"action":"purge"}""", "action"), ("""{"action":"Replay"}""", "action"),
            ("""{"action":"replay","filter":{"status":"accepted"}}""", "filter.status"),
            ("""{"action":"replay","filter":{"status":"waiting,needs-person"}}""", "filter.status"),
            ("""{"action":"replay","filter":{"before":"00000000-0000-0000-0000-000000000000"}}""", "filter.before"),
            ("""{"action":"replay","filter":{"tennant":"a"}}""", "tennant"), ("""{"action":"replay","filter":[]}""", "filter"),
            ("""{"action":"replay","perSecond":0}""", "perSecond"), ("""{"action":"replay","perSecond":101}""", "perSecond"),
            ("""{"action":"replay","perSecond":"5"}""", "perSecond"), ("""{"action":"replay","perSecond":1e999}""", "perSecond"),
            ("""{"action":"replay","stopRatio":2}""", "stopRatio"), ("""{"action":"replay","maxLetters":0}""", "maxLetters"),
            ("""{"action":"replay","maxLetters":99999999999}""", "maxLetters"), ("""{"action":"replay","id":"1"}""", "id"),
            ("""{"action":"replay","id":"00000000-0000-0000-0000-000000000000"}""", "id"), ("""{"action":"replay","by":"eve"}""", "by"),
            ("""{"action":"replay"}""", "count"), ("""{"action":"replay","filter":null}""", "count"),
            ("""{"action":"resolve","filter":{ } }""", "count"), ("""{"action":"replay","filter":{"client":""}}""", "count"),
            ("""{"action":"reopen"}""", "job"), ("""{"action":"reopen","job":"1"}""", "job"),
            ($$"""{"action":"reopen","job":"{{Guid.CreateVersion7()}}"}""", "job"),
            ($$"""{"action":"reopen","job":"{{Guid.CreateVersion7()}}","filter":{ } }""", "action"),
            ($$"""{"action":"replay","job":"{{Guid.CreateVersion7()}}"}""", "job"),
            ($$"""{"action":"resolve","resolution":"{{new string('x', 101)}}"}""", "resolution"),
            ($$"""{"action":"resolve","notes":"{{new string('x', 10_001)}}"}""", "notes"),
        ];

        foreach (var (json, field) in jobs)
        {
            var answer = await host.PostAsync("jobs", json);
            answer.ShouldBeProblem(HttpStatusCode.UnprocessableEntity)["errors"]![field].ShouldNotBeNull($"{json}: {answer.Text}");
        }

        var changed = (await host.PostAsync("jobs", """{"action":"replay","count":100}""")).ShouldBeProblem(HttpStatusCode.Conflict);
        changed["count"]!.GetValue<int>().ShouldBe(20);
        (await host.PostAsync("jobs", """{"action":"replay"}""", ApiHost.Staff)).ShouldBeProblem(HttpStatusCode.Forbidden);
        foreach (string id in new[] { $"{Guid.CreateVersion7()}", "1", "%20", "..%2Fcounts" })
        {
            (await host.GetAsync($"jobs/{id}")).ShouldBeProblem(HttpStatusCode.NotFound);
            (await host.PostAsync($"jobs/{id}/stop")).ShouldBeProblem(HttpStatusCode.NotFound);
        }

        string[] lists = ["jobs?state=open", "jobs?limit=0", "jobs?x=1", "activity?before=1", "activity?limit=201", "activity?x="];
        foreach (string list in lists)
            (await host.GetAsync(list)).ShouldBeProblem(HttpStatusCode.UnprocessableEntity);
        (await host.PostAsync($"letters/{Guid.CreateVersion7()}/reopen", """{"expectedVersion":0}"""))
            .ShouldBeProblem(HttpStatusCode.NotFound);
        (await host.GetAsync("jobs")).Json["jobs"]!.AsArray().ShouldBeEmpty();
    }

    private static async Task<JsonNode> UntilEndedAsync(ApiHost host, JsonNode job)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var now = (await host.GetAsync($"jobs/{job["id"]}")).ShouldBe(HttpStatusCode.OK).Json;
            if (now["state"]!.GetValue<string>() != "running")
                return now;
            TimeProvider.System.GetElapsedTime(began).ShouldBeLessThan(ResilientClientUnderTest.Hang, now.ToJsonString());
            await Task.Delay(50, Stop);
        }
    }

    private Task<ApiHost> StartAsync(Uri api, bool replays = true) => ApiHost.StartAsync(services =>
    {
        Database.AddTo(services);
        services.AddResilientHttpClient("billing", o => (o.BaseAddress, o.DeadLetter.Enabled) = (api, true));
        if (replays)
            services.AddDeadLetterReplay();
    });

    private async Task<DeadLetter[]> AddAsync(Uri api, int count)
    {
        DeadLetter[] letters =
        [
            .. Enumerable.Range(0, count).Select(i => Letters.Plain(DateTimeOffset.UtcNow, status: DeadLetterStatus.RequiresReview) with
            {
                Uri = new(api, $"invoices/{1000 + i}"),
                StatusCode = 422,
                ErrorTitle = $"Invoice {i} has no customer",
                IdempotencyKey = $"key {i}",
                SuggestedAction = "Fix the data and resubmit",
                Body = "{}"u8.ToArray(),
            }),
        ];
        foreach (var letter in letters)
            (await Storage.DeadLetters.AddAsync(letter, Stop)).ShouldBeTrue();
        return letters;
    }
}
