using Npgsql;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>Machines whose clocks differ by more than a lease share the server's.</summary>
public sealed class PostgreSqlClockTests(PostgreSqlServer server) : StorageContract
{
    public static TheoryData<int, int> Clocks => new() { { 0, 60 }, { 60, 0 }, { -60, 60 }, { 0, -60 }, { 0, 86400 }, { 4000, -4000 } };

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    [Theory, MemberData(nameof(Clocks))]
    public async Task A_letter_in_progress_is_not_claimed_by_a_machine_with_another_clock(int first, int second)
    {
        var (one, other) = (new SetClock(first), new SetClock(second));
        var (stores, others) = (Database.Open(one).DeadLetters, Database.Open(other).DeadLetters);
        await stores.AddAsync(Letters.Plain(one.GetUtcNow().AddMinutes(-1)), Stop);

        var mine = (await stores.ClaimAsync(Letters.Claim(one.GetUtcNow()), Stop)).ShouldHaveSingleItem();

        (mine.DueAt - one.GetUtcNow()).ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(31));
        (await others.ClaimAsync(Letters.Claim(other.GetUtcNow()), Stop)).ShouldBeEmpty();

        // The renewal of the lease too.
        (await stores.UpdateAsync(mine with { DueAt = one.GetUtcNow().AddSeconds(30) }, Stop)).ShouldBeTrue();
        (await others.ClaimAsync(Letters.Claim(other.GetUtcNow().AddSeconds(20)), Stop)).ShouldBeEmpty();
        (await others.ClaimAsync(Letters.Claim(other.GetUtcNow().AddSeconds(40)), Stop)).ShouldHaveSingleItem();
    }

    [Theory, MemberData(nameof(Clocks))]
    public async Task A_call_in_flight_is_not_in_doubt_for_a_machine_with_another_clock(int first, int second)
    {
        var (one, other) = (new SetClock(first), new SetClock(second));
        RememberedRequest Ask(SetClock clock) =>
            new("billing", "key", "hash", Guid.NewGuid(), clock.GetUtcNow(), clock.GetUtcNow().AddSeconds(30)) { ExpiresAt = null };
        var mine = Ask(one);
        await Database.Open(one).IdempotencyKeys.BeginAsync(mine, Stop);

        var seen = await Database.Open(other).IdempotencyKeys.BeginAsync(Ask(other), Stop);

        (seen.Owner, seen.IsInDoubt).ShouldBe((mine.Owner, false));
        (seen.LeaseUntil - other.GetUtcNow()).ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(31));
    }

    [Theory, MemberData(nameof(Clocks))]
    public async Task A_batch_in_progress_is_not_taken_over_by_a_machine_with_another_clock(int first, int second)
    {
        var (one, other) = (new SetClock(first), new SetClock(second));
        var (owner, thief) = (Guid.NewGuid(), Guid.NewGuid());
        var (stores, others) = (Database.Open(one).Checkpoints, Database.Open(other).Checkpoints);
        await stores.BeginAsync("orders", owner, one.GetUtcNow(), one.GetUtcNow().AddSeconds(30), Stop);

        (await others.BeginAsync("orders", thief, other.GetUtcNow(), other.GetUtcNow().AddSeconds(30), Stop)).Owner.ShouldBe(owner);

        CheckpointUpdate update = new()
        {
            Name = "orders",
            Owner = owner,
            LeaseUntil = one.GetUtcNow().AddSeconds(30),
            Position = 1,
            Done = [],
            Failed = [],
            Healed = [],
        };
        (await stores.SaveAsync(update, Stop)).ShouldBeTrue();
        (await others.BeginAsync("orders", thief, other.GetUtcNow().AddSeconds(20), other.GetUtcNow().AddSeconds(60), Stop)).Owner
            .ShouldBe(owner);
    }

    [Theory, MemberData(nameof(Clocks))]
    public async Task A_live_process_and_a_due_letter_are_seen_as_such_by_a_machine_with_another_clock(int first, int second)
    {
        var (one, other) = (new SetClock(first), new SetClock(second));
        var (storage, others) = (Database.Open(one), Database.Open(other));
        await storage.Instances.SaveAsync(
            new() { Id = Guid.NewGuid(), Application = "web", Name = "one", StartedAt = one.GetUtcNow(), SeenAt = one.GetUtcNow() }, Stop);
        await storage.DeadLetters.AddAsync(Letters.Plain(one.GetUtcNow()), Stop);

        var seen = (await others.Instances.ListAsync(other.GetUtcNow().AddSeconds(-30), Stop)).ShouldHaveSingleItem();

        (other.GetUtcNow() - seen.SeenAt).Duration().ShouldBeLessThan(TimeSpan.FromSeconds(15));
        var due = (await others.DeadLetters.BacklogAsync(Stop)).ShouldHaveSingleItem().DueAt;
        (other.GetUtcNow() - due).Duration().ShouldBeLessThan(TimeSpan.FromSeconds(15));
        (await others.Instances.PurgeAsync(other.GetUtcNow().AddSeconds(-30), Stop)).ShouldBe(0);
    }

    [Theory, MemberData(nameof(Clocks))]
    public async Task An_incident_has_the_same_age_for_a_machine_with_another_clock(int first, int second)
    {
        var (one, other) = (new SetClock(first), new SetClock(second));
        var (stores, others) = (Database.Open(one).Incidents, Database.Open(other).Incidents);
        var process = Guid.NewGuid();
        await stores.SaveAsync(new()
        {
            Key = "orders",
            Alert = "{}",
            Sender = process,
            LeaseUntil = one.GetUtcNow().AddSeconds(30),
            SentAt = one.GetUtcNow(),
            SeenBy = new Dictionary<Guid, DateTimeOffset> { [process] = one.GetUtcNow() },
            ChangedAt = one.GetUtcNow(),
        }, Stop);

        var seen = (await others.ListAsync(Stop)).ShouldHaveSingleItem();

        foreach (var at in (DateTimeOffset[])[seen.LeaseUntil.AddSeconds(-30), seen.SentAt!.Value, seen.SeenBy[process], seen.ChangedAt])
            (other.GetUtcNow() - at).Duration().ShouldBeLessThan(TimeSpan.FromSeconds(15));
        (await others.PurgeAsync(other.GetUtcNow().AddSeconds(-30), Stop)).ShouldBe(0);
        (await others.PurgeAsync(other.GetUtcNow().AddSeconds(30), Stop)).ShouldBe(1);
    }

    [Fact]
    public async Task A_clock_with_hours_of_its_own_is_followed()
    {
        var clock = new ManualTimeProvider();
        var store = Database.Open(clock).DeadLetters;
        var letter = Letters.Plain(clock.GetUtcNow());
        await store.AddAsync(letter, Stop);

        (await store.ClaimAsync(Letters.Claim(clock.GetUtcNow()), Stop)).ShouldHaveSingleItem();
        clock.Advance(TimeSpan.FromSeconds(29));
        (await Database.Open(clock).DeadLetters.ClaimAsync(Letters.Claim(clock.GetUtcNow()), Stop)).ShouldBeEmpty();
        clock.Advance(TimeSpan.FromSeconds(1));
        (await Database.Open(clock).DeadLetters.ClaimAsync(Letters.Claim(clock.GetUtcNow()), Stop)).ShouldHaveSingleItem();
    }

    [Theory, InlineData(3600), InlineData(-3600), InlineData(45), InlineData(-86400)]
    public async Task A_clock_that_is_set_is_measured_again_at_once(int seconds)
    {
        var machine = new SetClock(0);
        var clock = new PostgreSqlClock(machine, machine);
        await using var connection = new NpgsqlConnection(Database.ConnectionString);
        await connection.OpenAsync(Stop);
        await clock.MeasureAsync(connection, Stop);
        clock.Ahead.ShouldBe(TimeSpan.Zero);

        machine.Set(seconds);
        await clock.MeasureAsync(connection, Stop);

        (clock.Ahead.TotalSeconds + seconds).ShouldBeInRange(-5, 5);
    }

    /// <summary>The clock of a machine that is set differently.</summary>
    private sealed class SetClock(int aheadSeconds) : TimeProvider
    {
        private int _aheadSeconds = aheadSeconds;

        internal void Set(int aheadSeconds) => _aheadSeconds = aheadSeconds;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddSeconds(_aheadSeconds);
    }
}
