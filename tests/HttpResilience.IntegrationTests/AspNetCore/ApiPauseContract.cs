using System.Net;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.AspNetCore;

public sealed class SqliteApiPauseTests : ApiPauseContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlApiPauseTests(PostgreSqlServer server) : ApiPauseContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

/// <summary>Clients, their pauses and error budgets by the API, on each store.</summary>
public abstract class ApiPauseContract : StorageContract
{
    private ApiHost? _host;

    [Fact]
    public async Task A_client_without_an_error_budget_of_its_own_is_paused_at_once_and_resumed_with_who_and_why()
    {
        await using var host = await StartAsync();
        await CallAsync("orders");

        var paused = await host.PostAsync("clients/orders/pause", """{"note":"double invoices"}""");

        paused.Status.ShouldBe(HttpStatusCode.OK, paused.Text);
        var refused = await Should.ThrowAsync<IntegrationPausedException>(() => CallAsync("orders"));
        refused.RetryAfter.ShouldBeNull();
        await CallAsync("https://crm");
        var pause = (await host.GetAsync("clients")).Json["clients"]!.AsArray().Single(c => (string)c!["name"]! == "orders")!["pause"]!;
        ((string)pause["by"]!, (string)pause["byText"]!, (string)pause["note"]!).ShouldBe(("olga", "olga", "double invoices"));
        var budget = (await host.GetAsync("budgets")).Json["budgets"]!.AsArray().Single(b => (string)b!["client"]! == "orders")!;
        ((string)budget["pause"]!["note"]!, (double)budget["objective"]!, (long)budget["calls"]!).ShouldBe(("double invoices", 0.999, 1));
        budget["burnRates"]!.AsArray().Count.ShouldBe(5);

        var resumed = await host.PostAsync("clients/orders/resume", """{"note":"fixed"}""");

        resumed.Status.ShouldBe(HttpStatusCode.OK, resumed.Text);
        resumed.Json["pause"].ShouldBeNull();
        await CallAsync("orders");
        (await host.GetAsync("activity")).Json["activity"]!.AsArray()
            .Select(a => ((string)a!["action"]!, (string)a["by"]!, (string)a["client"]!, (string?)a["notes"]))
            .ShouldBe([("Resume", "olga", "orders", "fixed"), ("Pause", "olga", "orders", "double invoices")]);
        host.Log.Lines.Count(l => l.EventId == 905).ShouldBe(2);
    }

    [Fact]
    public async Task Another_running_instance_follows_within_its_interval()
    {
        await using var host = await StartAsync();
        await using var other = await StartAnotherAsync();
        await other.CallAsync();

        await host.PostAsync("clients/orders/pause", """{"note":"x"}""");
        other.Time.Advance(TimeSpan.FromSeconds(10));

        await Eventually.BeAsync(async () =>
        {
            try
            {
                await other.CallAsync();
                other.Time.Advance(TimeSpan.FromSeconds(10));
                return false;
            }
            catch (IntegrationPausedException)
            {
                return true;
            }
        });
    }

    [Fact]
    public async Task The_second_of_two_persons_gets_409_with_what_the_first_did_and_a_double_click_the_same()
    {
        await using var host = await StartAsync();
        await host.PostAsync("clients/orders/pause", """{"note":"double invoices"}""");

        (await host.PostAsync("clients/orders/pause", """{"note":"double invoices"}""")).Status.ShouldBe(HttpStatusCode.OK);
        var second = await host.PostAsync("clients/orders/pause", "{}", ApiHost.Other);
        second.Status.ShouldBe(HttpStatusCode.Conflict);
        second.Json["title"]!.GetValue<string>().ShouldBe("Client 'orders' is paused already. Nothing was done.");
        second.Json["detail"]!.GetValue<string>().ShouldMatch("^Paused 20.*Z by olga: double invoices$");
        (await host.PostAsync("clients/orders/resume", "{}", ApiHost.Other)).Status.ShouldBe(HttpStatusCode.OK);
        (await host.PostAsync("clients/orders/resume", "{}", ApiHost.Other)).Status.ShouldBe(HttpStatusCode.OK);
        (await host.PostAsync("clients/orders/resume", "{}")).Status.ShouldBe(HttpStatusCode.Conflict);
        (await host.GetAsync("activity")).Json["activity"]!.AsArray().Count.ShouldBe(2);
    }

    [Fact]
    public async Task Only_operators_pause_and_only_clients_that_there_are()
    {
        await using var host = await StartAsync();

        (await host.PostAsync("clients/orders/pause", "{}", ApiHost.Staff)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await host.PostAsync("clients/orders/pause", "{}", ApiHost.Operator, ("Sec-Fetch-Site", "cross-site"))).Status
            .ShouldBe(HttpStatusCode.Forbidden);
        (await host.PostAsync("clients/orders/pause", """{"note":7}""")).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await host.PostAsync("clients/orders/pause", """{"because":"x"}""")).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await host.PostAsync("clients/orders/pause", $$"""{"note":"{{new string('x', 10_001)}}"}""")).Status
            .ShouldBe(HttpStatusCode.UnprocessableEntity);
        foreach (string name in (string[])["order", "%01", "%E2%80%AE<script>", new string('x', 4000), "HttpResilience.Alerts", "..%2F"])
        {
            var unknown = await host.PostAsync($"clients/{name}/pause");
            unknown.Status.ShouldBe(HttpStatusCode.NotFound, unknown.Text);
            unknown.Json["detail"]!.GetValue<string>().ShouldStartWith("Known: https://crm, orders.");
            (await host.GetAsync($"clients/{name}")).Status.ShouldBe(HttpStatusCode.NotFound);
        }

        (await host.GetAsync("activity")).Json["activity"]!.AsArray().ShouldBeEmpty();
        await CallAsync("orders");
    }

    [Fact]
    public async Task A_client_with_a_slash_in_its_name_has_an_address_and_says_which_instances_obey()
    {
        await using var host = await StartAsync();
        await Eventually.BeAsync(async () => (await host.GetAsync("instances")).Json["instances"]!.AsArray().Count == 1);

        var paused = await host.PostAsync("clients/https:%2F%2Fcrm/pause", """{"note":"ticket 4711"}""");

        paused.Status.ShouldBe(HttpStatusCode.OK, paused.Text);
        await Should.ThrowAsync<IntegrationPausedException>(() => CallAsync("https://crm"));
        var client = (await host.GetAsync("clients/https:%2F%2Fcrm")).Json;
        ((string)client["name"]!, (string)client["pause"]!["note"]!).ShouldBe(("https://crm", "ticket 4711"));
        client["reach"]!["obeyedBy"]!.AsArray().ShouldHaveSingleItem();
        client["reach"]!["ignoredBy"]!.AsArray().ShouldBeEmpty();
        client["reach"]!["advice"].ShouldBeNull();
        client["here"]!["chain"].ShouldNotBeNull();
    }

    [Fact]
    public async Task Without_the_package_of_operations_the_answer_says_that_nobody_obeys_and_which_line_is_missing()
    {
        await using var host = await StartAsync(hasOperations: false);
        await Eventually.BeAsync(async () => (await host.GetAsync("instances")).Json["instances"]!.AsArray().Count == 1);

        var paused = await host.PostAsync("clients/orders/pause");

        paused.Status.ShouldBe(HttpStatusCode.OK, paused.Text);
        paused.Json["reach"]!["obeyedBy"]!.AsArray().ShouldBeEmpty();
        ((string)paused.Json["reach"]!["advice"]!).ShouldContain("AddHttpResilienceOperations()");
        ((string)paused.Json["advice"]!).ShouldContain("AddHttpResilienceOperations()");
        ((string)(await host.GetAsync("budgets")).Json["advice"]!).ShouldContain("AddHttpResilienceOperations()");
        await CallAsync("orders");
    }

    private async Task<ApiHost> StartAsync(bool hasOperations = true) => _host = await ApiHost.StartAsync(services =>
    {
        Database.AddTo(services);
        if (hasOperations)
            services.AddHttpResilienceOperations();
        services.AddResilientHttpClient("orders", o => o.DeadLetter.Enabled = true).ConfigurePrimaryHttpMessageHandler(() => new Works());
        services.AddResilientHttpClient("https://crm").ConfigurePrimaryHttpMessageHandler(() => new Works());
    });

    private async Task CallAsync(string client)
    {
        using var response = await _host!.Services.GetRequiredService<IHttpClientFactory>().CreateClient(client)
            .GetAsync("https://api.test/", Stop);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private async Task<OtherInstance> StartAnotherAsync()
    {
        var other = new OtherInstance(services => Database.AddTo(services));
        await other.StartAsync();
        return other;
    }

    private sealed class Works : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK));
    }
}
