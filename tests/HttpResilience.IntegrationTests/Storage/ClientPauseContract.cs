using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>Pauses of clients with note and activity, for every store.</summary>
public abstract class ClientPauseContract : StorageContract
{
    private readonly ManualTimeProvider _time = new();

    private IHttpResilienceStorage Store => field ??= Database.Open();

    [Fact]
    public async Task A_pause_is_kept_with_its_note_and_what_the_person_did()
    {
        await using var services = Open();
        var pauses = services.GetRequiredService<ClientPauses>();

        var paused = await pauses.PauseAsync("orders", "olga", "double invoices\0", Stop);
        _time.Advance(TimeSpan.FromMinutes(5));
        (await pauses.PauseAsync("orders", "oskar", "me too", Stop)).ShouldBe(new(Stored(paused.Last!), IsChanged: false));
        (await pauses.ListAsync(Stop)).ShouldBe([Stored(paused.Last!)]);
        var resumed = await pauses.ResumeAsync("orders", "oskar", null, Stop);

        (paused.IsChanged, resumed.IsChanged).ShouldBe((true, true));
        (await Store.ErrorBudgets.PausesAsync(Stop)).ShouldBe([resumed.Last!]);
        (await pauses.ResumeAsync("orders", "oskar", null, Stop)).ShouldBe(new(resumed.Last, IsChanged: false));
        (await pauses.ResumeAsync("crm", "oskar", null, Stop)).ShouldBe(new(null, IsChanged: false));
        (await Store.Activity.ListAsync(null, 10, Stop)).Select(a => (a.Action, a.By, a.ClientName, a.Letters, a.Notes)).ShouldBe(
            [("Resume", "oskar", "orders", 0, null), ("Pause", "olga", "orders", 0, "double invoices\uFFFD")]);
    }

    [Fact]
    public async Task A_person_takes_over_the_pause_of_a_budget_also_with_a_clock_that_is_behind()
    {
        await using var services = Open();
        var ahead = new ErrorBudgetPause("orders", IsPaused: true, By: null, Now.AddMinutes(1));
        await Store.ErrorBudgets.SetPauseAsync(ahead, Stop);

        var taken = await services.GetRequiredService<ClientPauses>().PauseAsync("orders", "olga", "mine", Stop);

        (taken.IsChanged, taken.Last!.At).ShouldBe((true, ahead.At.AddMicroseconds(1)));
        (await Store.ErrorBudgets.PausesAsync(Stop)).ShouldBe([taken.Last]);
    }

    [Fact]
    public async Task Of_two_persons_at_once_one_pauses_and_only_that_is_written_down()
    {
        await using var services = Open();
        await using var others = Open();

        var results = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() =>
            (i % 2 == 0 ? services : others).GetRequiredService<ClientPauses>().PauseAsync("orders", $"person {i}", null, Stop))));

        results.Count(r => r.IsChanged).ShouldBe(1);
        string by = results.Single(r => r.IsChanged).Last!.By!;
        results.ShouldAllBe(r => r.Last!.By == by);
        (await Store.Activity.ListAsync(null, 100, Stop)).Select(a => a.By).ShouldBe([by]);
    }

    [Fact]
    public async Task A_commit_that_is_based_on_an_older_change_changes_nothing()
    {
        var first = new ErrorBudgetPause("orders", IsPaused: true, "olga", Now);
        (await CommitAsync(first, null)).ShouldBeTrue();

        var next = first with { IsPaused = false, At = Now.AddSeconds(2) };
        (await CommitAsync(next, null)).ShouldBeFalse();
        (await CommitAsync(next, first with { At = Now.AddSeconds(-1) })).ShouldBeFalse();
        (await Store.ErrorBudgets.PausesAsync(Stop)).ShouldBe([first]);
        (await Store.Activity.ListAsync(null, 10, Stop)).ShouldHaveSingleItem();
        (await CommitAsync(next, first)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_note_belongs_to_its_change_also_when_a_process_of_version_5_writes_the_next_one()
    {
        await using var services = Open();
        await services.GetRequiredService<ClientPauses>().PauseAsync("orders", "olga", "double invoices", Stop);

        if (await OldProcessPausesAsync())
            (await Store.ErrorBudgets.PausesAsync(Stop)).ShouldHaveSingleItem().Note.ShouldBeNull();
    }

    /// <summary>A pause as a process of version 5 writes it: without the columns of version 6.</summary>
    /// <returns>False for a store that has no versions.</returns>
    protected abstract Task<bool> OldProcessPausesAsync();

    [Fact]
    public async Task What_a_pause_reaches_is_told_by_the_processes_and_the_letters()
    {
        await using var services = Open();
        var pauses = services.GetRequiredService<ClientPauses>();
        foreach (var instance in (StorageInstance[])
            [
                Instance("web-2") with { PausableClients = ["orders", "crm"] }, Instance("web-1") with { PausableClients = ["orders"] },
                Instance("worker") with { Clients = ["orders", "billing"] },
                Instance("other") with { Application = "elsewhere", Clients = ["x"] },
                Instance("gone") with { PausableClients = ["orders", "old"], SeenAt = Now.AddMinutes(-10) },
                Instance("ahead") with { PausableClients = ["orders"], SeenAt = Now.AddMinutes(10) },
            ])
            await Store.Instances.SaveAsync(instance, Stop);
        foreach (var status in (DeadLetterStatus[])[DeadLetterStatus.Pending, DeadLetterStatus.Pending, DeadLetterStatus.RequiresReview])
            await Store.DeadLetters.AddAsync(Letters.Plain(Now, status: status) with { ClientName = "orders" }, Stop);
        await Store.DeadLetters.AddAsync(Letters.Plain(Now, status: DeadLetterStatus.Resolved) with { ClientName = "settled" }, Stop);

        var reach = await pauses.FindAsync("orders", Stop);

        (reach.IsKnown, reach.LettersWaiting).ShouldBe((true, 2));
        reach.ObeyedBy.Select(i => i.Name).ShouldBe(["web-1", "web-2"], ignoreOrder: true);
        reach.IgnoredBy.Select(i => i.Name).ShouldBe(["worker"]);
        reach.KnownClients.ShouldBe(["billing", "crm", "old", "orders"]);
        (await pauses.FindAsync("settled", Stop)).IsKnown.ShouldBeTrue();
        (await pauses.FindAsync("x", Stop)).IsKnown.ShouldBeFalse();
    }

    private static DateTimeOffset Now => ManualTimeProvider.DefaultStart;

    private async Task<bool> CommitAsync(ErrorBudgetPause pause, ErrorBudgetPause? before) => await Store.DeadLetters.CommitAsync(
        new()
        {
            Pause = pause,
            PauseBefore = before,
            Activity = new() { Id = Guid.CreateVersion7(), At = pause.At, By = pause.By!, Action = "Pause", ClientName = pause.ClientName },
        }, Stop);

    private static ErrorBudgetPause Stored(ErrorBudgetPause pause) => pause with { Note = pause.Note?.Replace('\0', '\uFFFD') };

    private static StorageInstance Instance(string name) => new()
    {
        Id = Guid.CreateVersion7(),
        Application = Letters.Application,
        Name = name,
        StartedAt = Now,
        SeenAt = Now,
    };

    private ServiceProvider Open()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<TimeProvider>(_time);
        return Database.AddTo(services).BuildServiceProvider();
    }
}
