using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Operations.ErrorBudgets;

/// <summary>The API for operators.</summary>
public sealed class ErrorBudgetsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_list_has_every_value_of_a_budget()
    {
        using var chain = PausedCallTests.PausingChain(o => o.ErrorBudget.PauseAtBurn = null);
        chain.Server.Script(Replies.Status(200));
        for (int i = 0; i < 90; i++)
            (await chain.GetAsync()).Dispose();
        chain.Clock.Advance(TimeSpan.FromMinutes(10));
        await PausedCallTests.FailAsync(chain, 10);

        var status = chain.Services.GetRequiredService<IErrorBudgets>().List().ShouldHaveSingleItem();

        (status.ClientName, status.Objective, status.Window, status.Calls, status.Failures)
            .ShouldBe(("api", 0.999, TimeSpan.FromDays(30), 100, 10));
        (status.Burn, status.Remaining, status.State, status.IsBurning, status.PausedSince, status.PausedBy)
            .ShouldBe((100, 0, ErrorBudgetState.Exceeded, true, null, null));
        status.BurnRates.Select(r => (r.Window.TotalMinutes, Math.Round(r.Rate, 6)))
            .ShouldBe([(5, 1000), (30, 100), (60, 100), (360, 100), (4320, 100)]);
    }

    [Fact]
    public async Task A_manual_pause_can_be_resumed()
    {
        using var chain = PausedCallTests.PausingChain();
        var budgets = chain.Services.GetRequiredService<IErrorBudgets>();
        await budgets.PauseAsync("api", "Ann\r\nforged", Stop);
        chain.Clock.Advance(TimeSpan.FromHours(1));

        var paused = await Should.ThrowAsync<IntegrationPausedException>(() => chain.GetAsync());

        paused.RetryAfter.ShouldBeNull();
        paused.Message.ShouldBe("Client 'api' has been paused since 2030-01-02 03:04:05Z; an operator has to resume it.");
        var status = budgets.List().Single();
        (status.PausedBy, status.PausedSince).ShouldBe(("Ann\r\nforged", chain.Clock.Start));
        chain.Logs.WithId(603).Single().Message.ShouldNotContain("\n");

        await budgets.ResumeAsync("api", "Bob", Stop);

        (await chain.GetAsync()).Dispose();
        budgets.List().Single().ShouldSatisfyAllConditions(s => s.PausedBy.ShouldBeNull(), s => s.PausedSince.ShouldBeNull());
        chain.Logs.WithId(605).Single().Message.ShouldBe("api: the integration is resumed by Bob");
    }

    [Fact]
    public async Task A_resumed_client_is_paused_again_only_by_new_failures()
    {
        using var chain = PausedCallTests.PausingChain();
        await PausedCallTests.FailAsync(chain, 5);

        await chain.Services.GetRequiredService<IErrorBudgets>().ResumeAsync("api", "Bob", Stop);

        await PausedCallTests.FailAsync(chain, 4);
        chain.Budget.IsPaused.ShouldBeFalse();
        await PausedCallTests.FailAsync(chain, 1);
        chain.Budget.IsPaused.ShouldBeTrue();
    }

    [Fact]
    public async Task An_unused_client_can_be_paused_and_an_unknown_one_cannot()
    {
        using var chain = PausedCallTests.PausingChain(services: s => s.AddResilientHttpClient("crm"));
        var budgets = chain.Services.GetRequiredService<IErrorBudgets>();

        await budgets.PauseAsync("crm", "Ann", Stop);

        budgets.List().Single().ClientName.ShouldBe("crm");
        (await Should.ThrowAsync<ArgumentException>(() => budgets.PauseAsync("nobody", "Ann", Stop))).ParamName.ShouldBe("clientName");
        (await Should.ThrowAsync<ArgumentException>(() => budgets.ResumeAsync("crm", " ", Stop))).ParamName.ShouldBe("by");
    }

    [Fact]
    public async Task A_pause_is_stored_when_its_task_completes_and_applies_locally_if_it_cannot_be_stored()
    {
        var store = new TestStorage();
        using var chain = PausedCallTests.PausingChain(services: s => s.AddSingleton<IErrorBudgetStore>(store.ErrorBudgets));
        var budgets = chain.Services.GetRequiredService<IErrorBudgets>();
        await budgets.PauseAsync("api", "Ann", Stop);
        store.PauseOf("api").ShouldBe(new("api", IsPaused: true, "Ann", chain.Clock.GetUtcNow()));

        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        store.Fails = new HttpResilienceStorageException("gone");
        await Should.ThrowAsync<HttpResilienceStorageException>(() => budgets.ResumeAsync("api", "Bob", Stop));

        (await chain.GetAsync()).Dispose();
        store.Fails = null;
        await budgets.ResumeAsync("api", "Bob", Stop);
        store.PauseOf("api")!.IsPaused.ShouldBeFalse();
    }
}
