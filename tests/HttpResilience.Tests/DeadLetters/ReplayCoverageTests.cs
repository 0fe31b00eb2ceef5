namespace HttpResilience.Tests.DeadLetters;

/// <summary>Which letters no live process will replay.</summary>
public sealed class ReplayCoverageTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly DateTimeOffset Overdue = Now.AddSeconds(-30);

    [Fact]
    public void Due_letters_of_an_application_without_a_process_that_replays_them_are_found_after_30_seconds()
    {
        Find([Letters("web", "api", Overdue)], Process("web", false, "api"), Process("worker", true, "api"))
            .ShouldBe([new("web", null, Overdue)]);
        Find([Letters("web", "api", Overdue.AddTicks(1))], Process("web", false, "api"), Process("worker", true, "api")).ShouldBeEmpty();
        Find([Letters("web", "api", Overdue)]).ShouldBe([new("web", null, Overdue)]);
    }

    [Fact]
    public void A_process_that_replays_its_own_or_a_named_application_covers_it()
    {
        Find([Letters("web", "api", Overdue)], Process("web", true, "api")).ShouldBeEmpty();
        Find([Letters("web", "api", Overdue)], Process("worker", true, "api") with { ReplaysFor = ["x", "web"] }).ShouldBeEmpty();
        Find([Letters("web", "api", Overdue)], Process("worker", true, "api") with { ReplaysFor = ["WEB"] }).Count.ShouldBe(1);
        Find([Letters("web", "api", Overdue)], Process("worker", false, "api") with { ReplaysFor = ["web"] })[0].ClientName.ShouldBeNull();
    }

    [Fact]
    public void Letters_of_no_application_are_covered_by_every_process_that_replays()
    {
        Find([Letters("", "api", Overdue)], Process("worker", true, "api")).ShouldBeEmpty();
        Find([Letters("", "api", Overdue)], Process("worker", false, "api")).ShouldBe([new("", null, Overdue)]);
        Find([Letters("", "old", Now.AddDays(1))], Process("worker", true, "api")).ShouldBe([new("", "old", Now.AddDays(1))]);
    }

    [Fact]
    public void Letters_of_a_client_that_no_process_of_the_application_has_are_found_before_they_are_due()
    {
        Find([Letters("web", "old", Now.AddHours(1)), Letters("web", "api", Overdue)], Process("web", true, "api"))
            .ShouldBe([new("web", "old", Now.AddHours(1))]);
        Find([Letters("web", "API", Now.AddHours(1))], Process("web", true, "api")).ShouldHaveSingleItem().ClientName.ShouldBe("API");
        Find([Letters("web", "api", Now.AddHours(1))], Process("web", true, "api"), Process("web", true)).ShouldBeEmpty();
    }

    [Fact]
    public void Letters_of_a_client_that_only_processes_without_replay_have_are_found_when_they_are_due()
    {
        StorageInstance[] processes = [Process("web", false, "api"), Process("worker", true, "other") with { ReplaysFor = ["web"] }];

        Find([Letters("web", "api", Overdue)], processes).ShouldBe([new("web", "api", Overdue)]);
        Find([Letters("web", "api", Now)], processes).ShouldBeEmpty();
    }

    [Fact]
    public void The_earliest_due_time_of_several_hosts_is_given_and_applications_are_in_order()
    {
        Find([
            new("web", "api", "https://b", Overdue), new("web", "api", "https://a", Overdue.AddDays(-1)), Letters("crm", "api", Overdue),
        ]).ShouldBe([new("crm", null, Overdue), new("web", null, Overdue.AddDays(-1))]);
        Find([]).ShouldBeEmpty();
    }

    private static IReadOnlyList<UnreplayedLetters> Find(DeadLetterBacklog[] backlog, params StorageInstance[] live) =>
        ReplayCoverageRules.Find(backlog, live, Now);

    private static DeadLetterBacklog Letters(string application, string client, DateTimeOffset dueAt) =>
        new(application, client, "https://api.test", dueAt);

    private static StorageInstance Process(string application, bool replays, params string[] clients) => new()
    {
        Id = Guid.NewGuid(),
        Application = application,
        Name = "host:1",
        Replays = replays,
        Clients = clients,
        StartedAt = Now,
        SeenAt = Now,
    };
}
