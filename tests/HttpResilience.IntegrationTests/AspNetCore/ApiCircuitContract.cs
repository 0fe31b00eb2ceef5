using System.Net;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.AspNetCore;

public sealed class SqliteApiCircuitTests : ApiCircuitContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlApiCircuitTests(PostgreSqlServer server) : ApiCircuitContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

/// <summary>Hosts that are held back on all instances, over a real connection and a real store.</summary>
public abstract class ApiCircuitContract : StorageContract
{
    private static readonly Uri Api = new("https://api.test/");

    [Fact]
    public async Task An_operator_holds_a_host_back_and_lets_it_through_and_all_see_who_did()
    {
        await using var host = await StartAsync();
        await SeenAsync(host);

        var held = (await host.PostAsync("circuits/hold", """{"client":"billing","host":"API.test","note":"they asked us to"}"""))
            .ShouldBe(HttpStatusCode.OK).Json;

        $"{held["client"]} {held["host"]} {held["circuit"]} {held["circuitText"]} {held["hold"]!["by"]} {held["hold"]!["note"]}"
            .ShouldBe("billing https://api.test isolated Held back olga they asked us to");
        StateIn(host).ShouldBe(CircuitState.Isolated);
        var client = (await host.GetAsync("clients")).Json["clients"]!.AsArray().Single(c => $"{c!["name"]}" == "billing")!;
        var known = client["hosts"]!.AsArray().ShouldHaveSingleItem()!;
        $"{known["circuitText"]} {known["hold"]!["by"]}".ShouldBe("Held back olga");

        // The second sees the first.
        var second = (await host.PostAsync("circuits/hold", """{"client":"billing","host":"https://api.test","note":"x"}""", ApiHost.Other))
            .ShouldBe(HttpStatusCode.OK).Json;
        second["hold"]!.ToJsonString().ShouldBe(held["hold"]!.ToJsonString());
        (await host.GetAsync("circuits?client=other")).Json["circuits"]!.AsArray().ShouldBeEmpty();
        (await host.GetAsync("circuits?host=http://api.test")).Json["circuits"]!.AsArray().ShouldBeEmpty();
        (await host.GetAsync("circuits?host=api.test")).Json["circuits"]!.AsArray().ShouldHaveSingleItem()!["circuit"]!
            .GetValue<string>().ShouldBe("isolated");

        var released = (await host.PostAsync("circuits/release", """{"client":"billing","host":"api.test"}""", ApiHost.Other))
            .ShouldBe(HttpStatusCode.OK).Json;
        released["hold"].ShouldBeNull();
        released["letThrough"]!["by"]!.GetValue<string>().ShouldBe("oskar");
        StateIn(host).ShouldBe(CircuitState.Closed);
        (await host.PostAsync("circuits/release", """{"client":"billing","host":"api.test"}""")).ShouldBe(HttpStatusCode.OK);
        (await host.GetAsync("activity")).Json["activity"]!.AsArray().Select(a => $"{a!["by"]} {a["action"]} {a["client"]} {a["notes"]}")
            .ShouldBe(
            [
                "olga LetThrough billing https://api.test", "oskar LetThrough billing https://api.test",
                "olga HoldBack billing https://api.test: they asked us to",
            ], ignoreOrder: true);
    }

    [Fact]
    public async Task Of_many_persons_at_once_one_holds_a_host_back_and_all_are_told_who()
    {
        await using var host = await StartAsync();
        await SeenAsync(host);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => host.PostAsync(
            "circuits/hold", """{"client":"billing","host":"api.test"}""", $"person{i}; staff, operators")));

        string by = answers.Select(a => $"{a.ShouldBe(HttpStatusCode.OK).Json["hold"]!["by"]}").Distinct().ShouldHaveSingleItem();
        $"{(await host.GetAsync("activity")).Json["activity"]!.AsArray().ShouldHaveSingleItem()!["by"]}".ShouldBe(by);
    }

    [Fact]
    public async Task What_all_instances_report_is_listed()
    {
        await using var host = await StartAsync();
        await SeenAsync(host);
        await Database.Open().Instances.SaveAsync(
            new()
            {
                Id = Guid.CreateVersion7(),
                Application = Letters.Application,
                Name = "away:1",
                StartedAt = DateTimeOffset.UtcNow.AddHours(-1),
                SeenAt = DateTimeOffset.UtcNow.AddMinutes(-5),
                Report = new()
                {
                    CallsUnderWay = 4,
                    OtherCircuits = 7,
                    Circuits =
                    [
                        new()
                        {
                            ClientName = "billing",
                            Authority = "https://api.test",
                            State = CircuitState.Open,
                            Since = DateTimeOffset.UtcNow.AddMinutes(-6),
                            OpenFor = TimeSpan.FromSeconds(2.5),
                        },
                    ],
                },
            }, Stop);

        var list = (await host.GetAsync("circuits")).ShouldBe(HttpStatusCode.OK).Json;

        (list["more"]!.GetValue<int>(), list["instances"]!.AsArray().Count).ShouldBe((7, 1));
        var circuit = list["circuits"]!.AsArray().ShouldHaveSingleItem()!;
        $"{circuit["circuitText"]}".ShouldBe("Nothing is sent");
        var reported = circuit["instances"]!.AsArray().ShouldHaveSingleItem()!;
        $"{reported["instance"]} {reported["circuit"]} {reported["openForSeconds"]}".ShouldBe("away:1 open 2.5");
        reported["notSeenForSeconds"]!.GetValue<double>().ShouldBeInRange(299, 400);
        reported["since"].ShouldNotBeNull();
        var instances = (await host.GetAsync("instances")).Json["instances"]!.AsArray();
        instances.Single(i => $"{i!["name"]}" == "away:1")!.ShouldSatisfyAllConditions(
            i => i["underWay"]!.GetValue<int>().ShouldBe(4), i => i["notSeenForSeconds"].ShouldNotBeNull());
        instances.Single(i => $"{i!["name"]}" != "away:1")!.ShouldSatisfyAllConditions(
            i => i["underWay"]!.GetValue<int>().ShouldBe(0), i => i["notSeenForSeconds"].ShouldBeNull());
    }

    [Fact]
    public async Task What_is_not_valid_or_not_permitted_holds_nothing()
    {
        await using var host = await StartAsync();
        await SeenAsync(host);
        (string Json, string Field)[] wrong =
        [
            ("{}", "client"), ("""{"client":"billing"}""", "host"), ("""{"client":"billing","host":""}""", "host"),
            ("""{"client":"billing","host":"ftp://api.test"}""", "host"), ("""{"client":"billing","host":"https://api.test/v1"}""", "host"),
            ("""{"client":"billing","host":"https://me:secret@api.test"}""", "host"), ("""{"client":"billing","host":"a b"}""", "host"),
            ("""{"client":"billing","host":"https://xn--ä"}""", "host"),
            ("""{"client":"billing","host":7}""", "host"), ("""{"client":"billing","host":"https://\ud800"}""", "host"),
            ("""{"client":"Billing","host":"api.test"}""", "client"), ("""{"client":"plain","host":"api.test"}""", "client"),
            ("""{"client":"billing","host":"api.test","by":"eve"}""", "by"),
            ("""{"client":"billing","host":"api.test","tenant":"a\u0000"}""", "tenant"),
            ($$"""{"client":"billing","host":"api.test","tenant":"{{new string('x', 501)}}"}""", "tenant"),
            ($$"""{"client":"billing","host":"api.test","note":"{{new string('x', 1001)}}"}""", "note"),
        ];

        foreach (string deed in new[] { "hold", "release" })
        {
            foreach (var (json, field) in wrong)
            {
                var answer = await host.PostAsync($"circuits/{deed}", json);
                answer.ShouldBeProblem(HttpStatusCode.UnprocessableEntity)["errors"]![field].ShouldNotBeNull($"{json}: {answer.Text}");
            }

            const string Good = """{"client":"billing","host":"api.test"}""";
            (await host.PostAsync($"circuits/{deed}", Good, ApiHost.Staff)).ShouldBeProblem(HttpStatusCode.Forbidden);
            (await host.PostAsync($"circuits/{deed}", Good, "; staff, operators")).ShouldBeProblem(HttpStatusCode.Forbidden);
            (await host.PostAsync($"circuits/{deed}", Good, ApiHost.Operator, ("Sec-Fetch-Site", "cross-site")))
                .ShouldBeProblem(HttpStatusCode.Forbidden);
            (await host.GetAsync($"circuits/{deed}")).ShouldBeProblem(HttpStatusCode.MethodNotAllowed);
        }

        var unknown = await host.PostAsync("circuits/hold", """{"client":"Billing","host":"api.test"}""");
        unknown.Json["errors"]!["client"]![0]!.GetValue<string>()
            .ShouldBe("There is no client 'Billing' with circuits. Known: billing, other.");
        foreach (string list in new[] { "circuits?tenant=a", "circuits?host=ftp://x", "circuits?host=https://xn--%C3%A4" })
            (await host.GetAsync(list)).ShouldBeProblem(HttpStatusCode.UnprocessableEntity);
        (await Database.Open().CircuitHolds.ListAsync(Stop)).ShouldBeEmpty();
        StateIn(host).ShouldBeNull();
        (await host.GetAsync("activity")).Json["activity"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task What_one_instance_was_asked_for_another_does_within_10_seconds()
    {
        await using var asked = await StartAsync();
        await using var other = await StartAsync();
        await SeenAsync(asked, 2);

        (await asked.PostAsync("circuits/hold", """{"client":"billing","host":"api.test"}""")).ShouldBe(HttpStatusCode.OK);
        await UntilAsync(() => StateIn(other) is CircuitState.Isolated);
        (await asked.PostAsync("circuits/release", """{"client":"billing","host":"api.test"}""")).ShouldBe(HttpStatusCode.OK);
        await UntilAsync(() => StateIn(other) is CircuitState.Closed);
    }

    private static CircuitState? StateIn(ApiHost host) =>
        host.Services.GetRequiredService<ICircuits>().List("billing").SingleOrDefault(c => c.Authority == "https://api.test")?.State;

    private static Task SeenAsync(ApiHost host, int instances = 1) => UntilAsync(async () =>
        (await host.GetAsync("instances")).Json["instances"]!.AsArray().Count == instances);

    private static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            TimeProvider.System.GetElapsedTime(began).ShouldBeLessThan(ResilientClientUnderTest.Hang);
            await Task.Delay(20, Stop);
        }
    }

    private Task<ApiHost> StartAsync() => ApiHost.StartAsync(services =>
    {
        Database.AddTo(services);
        services.AddResilientHttpClient("billing", o => o.BaseAddress = Api);
        services.AddResilientHttpClient("other");
        services.AddResilientHttpClient("plain", o => o.CircuitBreaker.BreakDuration = null);
    });
}
