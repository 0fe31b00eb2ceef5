using System.Collections.Concurrent;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The contract of <see cref="IDeadLetterStore"/> for claiming letters and waiting for them, for every store.</summary>
public abstract class DeadLetterClaimContract : StorageContract
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private IDeadLetterStore Store => field ??= Database.Open().DeadLetters;

    [Fact]
    public async Task A_claimed_letter_is_in_progress_until_its_lease_expires_and_its_version_is_incremented()
    {
        var letter = Letters.Full() with { Status = DeadLetterStatus.Pending, DueAt = Noon };
        await Store.AddAsync(letter, Stop);

        var claimed = (await Store.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldHaveSingleItem();

        claimed.ShouldBeThatOf(
            letter with { Status = DeadLetterStatus.InProgress, DueAt = Noon.AddSeconds(30), Version = letter.Version + 1 });
        (await Store.FindAsync(letter.Id, Stop)).ShouldBeThatOf(claimed);
    }

    [Fact]
    public async Task Only_due_letters_are_claimed()
    {
        await Store.AddAsync(Letters.Plain(Noon.AddMicroseconds(1)), Stop);
        await Store.AddAsync(Letters.Plain(Noon.AddDays(1)), Stop);
        (await Store.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldBeEmpty();

        (await Store.ClaimAsync(Letters.Claim(Noon.AddMicroseconds(1)), Stop)).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(DeadLetterStatus.RequiresReview), InlineData(DeadLetterStatus.Replayed)]
    [InlineData(DeadLetterStatus.Resolved), InlineData(DeadLetterStatus.Resubmitted)]
    public async Task A_letter_that_is_not_pending_is_not_claimed(DeadLetterStatus status)
    {
        await Store.AddAsync(Letters.Plain(Noon.AddDays(-1), status: status), Stop);

        (await Store.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_letter_in_progress_is_claimed_by_another_worker_when_its_lease_has_expired()
    {
        await Store.AddAsync(Letters.Plain(Noon), Stop);
        await Store.ClaimAsync(Letters.Claim(Noon), Stop);

        (await Store.ClaimAsync(Letters.Claim(Noon.AddSeconds(30).AddMicroseconds(-1)), Stop)).ShouldBeEmpty();
        var again = (await Store.ClaimAsync(Letters.Claim(Noon.AddSeconds(30)), Stop)).ShouldHaveSingleItem();

        again.Version.ShouldBe(2);
        again.DueAt.ShouldBe(Noon.AddSeconds(60));
    }

    [Fact]
    public async Task A_worker_keeps_its_letter_by_renewing_the_lease_but_not_after_it_lost_the_letter()
    {
        await Store.AddAsync(Letters.Plain(Noon), Stop);
        var mine = (await Store.ClaimAsync(Letters.Claim(Noon), Stop))[0];

        (await Store.UpdateAsync(mine with { DueAt = Noon.AddMinutes(5) }, Stop)).ShouldBeTrue();
        (await Store.ClaimAsync(Letters.Claim(Noon.AddMinutes(4)), Stop)).ShouldBeEmpty();
        (await Store.ClaimAsync(Letters.Claim(Noon.AddMinutes(5)), Stop)).Count.ShouldBe(1);

        (await Store.UpdateAsync(mine with { Version = mine.Version + 1, Status = DeadLetterStatus.Replayed }, Stop)).ShouldBeFalse();
    }

    [Fact]
    public async Task Letters_are_claimed_longest_due_first_for_all_destinations_up_to_the_limit()
    {
        var letters = Enumerable.Range(0, 12)
            .Select(i => Letters.Plain(Noon.AddMinutes(-(i * 7 % 12)), host: $"h{i % 3}.example.com", client: i % 2 == 0 ? "a" : "b"))
            .ToList();
        await Task.WhenAll(letters.Select(l => Store.AddAsync(l, Stop)));

        var first = await Store.ClaimAsync(Letters.Claim(Noon, 5, "a", "b"), Stop);
        var rest = await Store.ClaimAsync(Letters.Claim(Noon, 100, "b", "a", "a"), Stop);

        first.Count.ShouldBe(5);
        first.Concat(rest).Select(l => l.Id).ShouldBe(letters.OrderBy(l => l.DueAt).Select(l => l.Id));
    }

    [Fact]
    public async Task Letters_of_other_clients_are_not_claimed()
    {
        await Store.AddAsync(Letters.Plain(Noon, client: "other"), Stop);
        await Store.AddAsync(Letters.Plain(Noon, client: "Billing"), Stop);
        var mine = Letters.Plain(Noon);
        await Store.AddAsync(mine, Stop);

        (await Store.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldHaveSingleItem().Id.ShouldBe(mine.Id);
        (await Store.ClaimAsync(Letters.Claim(Noon) with { Clients = [] }, Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_excluded_destination_is_not_claimed_and_delays_no_other()
    {
        for (int i = 0; i < 30; i++)
            await Store.AddAsync(Letters.Plain(Noon.AddDays(-1), host: "down.example.com"), Stop);
        var elsewhere = Letters.Plain(Noon, host: "up.example.com");
        var otherClient = Letters.Plain(Noon, host: "down.example.com", client: "other");
        await Store.AddAsync(elsewhere, Stop);
        await Store.AddAsync(otherClient, Stop);
        DeadLetterDestination[] except = [new("billing", "https://down.example.com"), new("other", "https://up.example.com")];

        var claimed = await Store.ClaimAsync(Letters.Claim(Noon, 10, "billing", "other") with { Except = except }, Stop);

        claimed.Select(l => l.Id).ShouldBe([elsewhere.Id, otherClient.Id], ignoreOrder: true);
    }

    [Fact]
    public async Task A_claim_for_one_destination_gets_only_its_letters_longest_due_first()
    {
        var letters = Enumerable.Range(0, 8).Select(i => Letters.Plain(Noon.AddMinutes(-(i * 5 % 8)))).ToList();
        DeadLetter[] others =
        [
            Letters.Plain(Noon.AddDays(-1), host: "other.example.com"), Letters.Plain(Noon.AddDays(-1), client: "other"),
            Letters.Plain(Noon.AddMicroseconds(1)),
            Letters.Plain(Noon.AddDays(-1), status: DeadLetterStatus.RequiresReview),
        ];
        await Task.WhenAll(letters.Concat(others).Select(l => Store.AddAsync(l, Stop)));
        var only = Letters.Claim(Noon, 5, "other", "billing") with { Only = new("billing", "https://api.example.com") };

        var first = await Store.ClaimAsync(only, Stop);
        var rest = await Store.ClaimAsync(only, Stop);

        first.Count.ShouldBe(5);
        first.Concat(rest).Select(l => l.Id).ShouldBe(letters.OrderBy(l => l.DueAt).Select(l => l.Id));
        first[0].ShouldBeThatOf(
            letters.MinBy(l => l.DueAt)! with { Status = DeadLetterStatus.InProgress, DueAt = Noon.AddSeconds(30), Version = 1 });
        (await Store.ClaimAsync(only, Stop)).ShouldBeEmpty();
        (await Store.ClaimAsync(only with { Now = Noon.AddSeconds(30), Limit = 100 }, Stop)).Count.ShouldBe(9);
    }

    [Fact]
    public async Task A_destination_that_is_excluded_or_of_an_unknown_client_has_no_letters_to_claim()
    {
        await Store.AddAsync(Letters.Plain(Noon), Stop);
        var only = new DeadLetterDestination("billing", "https://api.example.com");

        (await Store.ClaimAsync(Letters.Claim(Noon) with { Only = only, Except = [only] }, Stop)).ShouldBeEmpty();
        (await Store.ClaimAsync(Letters.Claim(Noon, 10, "other") with { Only = only }, Stop)).ShouldBeEmpty();
        (await Store.ClaimAsync(Letters.Claim(Noon) with { Only = only }, Stop)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_claim_is_bounded_by_bytes_and_takes_at_least_one_letter()
    {
        byte[] body = new byte[10_000];
        for (int i = 0; i < 6; i++)
            await Store.AddAsync(Letters.Plain(Noon.AddMinutes(i - 10)) with { Body = body }, Stop);
        var only = new DeadLetterDestination("billing", "https://api.example.com");

        (await Store.ClaimAsync(Letters.Claim(Noon) with { MaxBytes = 25_000 }, Stop)).Count.ShouldBe(2);
        (await Store.ClaimAsync(Letters.Claim(Noon) with { MaxBytes = 1 }, Stop)).Count.ShouldBe(1);
        (await Store.ClaimAsync(Letters.Claim(Noon) with { MaxBytes = 0, Only = only }, Stop)).Count.ShouldBe(1);
        (await Store.ClaimAsync(Letters.Claim(Noon) with { MaxBytes = 25_000, Only = only }, Stop)).Count.ShouldBe(2);
        (await Store.ClaimAsync(Letters.Claim(Noon), Stop)).Count.ShouldBe(0);
    }

    [Fact]
    public async Task The_history_of_a_letter_counts_for_the_size_of_a_claim()
    {
        var happened = new LetterEvent(LetterEventKind.ReplayRequested, Noon) { By = "anna", Notes = new('x', 1000) };
        for (int i = 0; i < 3; i++)
            await Store.AddAsync(Letters.Plain(Noon) with { History = [.. Enumerable.Repeat(happened, 20)] }, Stop);

        (await Store.ClaimAsync(Letters.Claim(Noon) with { MaxBytes = 30_000 }, Stop)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_page_without_bodies_is_enough_to_change_letters_and_leaves_their_bodies()
    {
        var letter = Letters.Full();
        await Store.AddAsync(letter, Stop);

        var listed = (await Store.ListAsync(new() { OmitBodies = true }, Stop)).ShouldHaveSingleItem();
        listed.Body.ShouldBeNull();
        (await Store.UpdateAsync(listed with { Status = DeadLetterStatus.Pending }, Stop)).ShouldBeTrue();

        var changed = letter with { Status = DeadLetterStatus.Pending, Version = letter.Version + 1 };
        (await Store.FindAsync(letter.Id, Stop)).ShouldBeThatOf(changed);
    }

    [Fact]
    public async Task An_expired_lease_counts_as_a_takeover_and_as_a_replay()
    {
        await Store.AddAsync(Letters.Plain(Noon), Stop);

        await Store.ClaimAsync(Letters.Claim(Noon), Stop);
        for (int i = 1; i <= 3; i++)
        {
            var again = (await Store.ClaimAsync(Letters.Claim(Noon.AddMinutes(i)), Stop)).ShouldHaveSingleItem();
            // The third is counted when the letter is sent.
            (again.Takeovers, again.Replays).ShouldBe((Math.Min(i, 2), i));
        }

        var sent = (await Store.ListAsync(new(), Stop)).ShouldHaveSingleItem() with { Takeovers = 3 };
        (await Store.UpdateAsync(sent, Stop)).ShouldBeTrue();
        (await Store.ClaimAsync(Letters.Claim(Noon.AddMinutes(4)), Stop)).ShouldHaveSingleItem().Takeovers.ShouldBe(3);
    }

    [Fact]
    public async Task A_claim_for_less_than_one_letter_is_rejected() =>
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => Store.ClaimAsync(Letters.Claim(Noon, 0), Stop));

    [Fact]
    public async Task Eight_concurrent_claims_get_every_letter_exactly_once()
    {
        var letters = Enumerable.Range(0, 400).Select(i => Letters.Plain(Noon.AddSeconds(-i), host: $"h{i % 5}.example.com")).ToList();
        await Task.WhenAll(letters.Select(l => Store.AddAsync(l, Stop)));
        IDeadLetterStore[] stores = [Store, Database.Open().DeadLetters];
        var claimed = new ConcurrentBag<Guid>();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            while (await stores[worker % 2].ClaimAsync(Letters.Claim(Noon, 7), Stop) is { Count: > 0 } some)
            {
                foreach (var letter in some)
                    claimed.Add(letter.Id);
            }
        }, Stop)));

        claimed.Count.ShouldBe(400);
        claimed.ShouldBe(letters.Select(l => l.Id), ignoreOrder: true);
    }

    [Fact]
    public async Task A_letter_with_an_expired_lease_may_have_been_processed_and_loses_its_resolution()
    {
        var letter =
            Letters.Plain(Noon.AddMinutes(-1)) with { MayHaveBeenProcessed = false, Resolution = new("Replay", null, "alice", Noon) };
        await Store.AddAsync(letter, Stop);

        var first = (await Store.ClaimAsync(Letters.Claim(Noon, 5), Stop)).ShouldHaveSingleItem();
        var second = (await Store.ClaimAsync(Letters.Claim(Noon.AddHours(1), 5), Stop)).ShouldHaveSingleItem();

        (first.MayHaveBeenProcessed, first.Resolution?.By).ShouldBe((false, "alice"));
        (second.MayHaveBeenProcessed, second.Resolution).ShouldBe((true, null));
    }

    [Fact]
    public async Task Concurrent_claims_each_get_their_share_of_sufficient_letters()
    {
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Store.AddAsync(Letters.Plain(Noon.AddSeconds(-i)), Stop)));
        IDeadLetterStore[] stores = [Store, Database.Open().DeadLetters];

        var claimed = await Task.WhenAll(
            Enumerable.Range(0, 40).Select(i => Task.Run(() => stores[i % 2].ClaimAsync(Letters.Claim(Noon, 5), Stop), Stop)));

        claimed.ShouldAllBe(c => c.Count == 5);
    }

    [Fact]
    public async Task A_wait_ends_when_a_letter_is_added()
    {
        await Store.WaitForLettersAsync(Hour, Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);
        var waiting = Store.WaitForLettersAsync(Hour, Stop);

        await Store.AddAsync(Letters.Plain(), Stop);

        await waiting.WaitAsync(ResilientClientUnderTest.Hang, Stop);
    }

    [Fact]
    public async Task A_wait_ends_when_another_process_adds_a_letter()
    {
        await Store.WaitForLettersAsync(Hour, Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);
        var waiting = Store.WaitForLettersAsync(Hour, Stop);

        await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);

        await waiting.WaitAsync(ResilientClientUnderTest.Hang, Stop);
    }

    [Fact]
    public async Task A_wait_ends_when_a_letter_becomes_pending_or_replaces_another()
    {
        var letter = Letters.Plain(status: DeadLetterStatus.RequiresReview);
        await Store.AddAsync(letter, Stop);
        await Store.WaitForLettersAsync(Hour, Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);
        await Store.WaitForLettersAsync(TimeSpan.FromMilliseconds(1), Stop);
        var first = Store.WaitForLettersAsync(Hour, Stop);

        await Store.UpdateAsync(letter with { Status = DeadLetterStatus.Pending }, Stop);
        await first.WaitAsync(ResilientClientUnderTest.Hang, Stop);
        var second = Store.WaitForLettersAsync(Hour, Stop);
        await Store.CommitAsync(
            new() { Changed = [letter with { Version = 1, Status = DeadLetterStatus.Resubmitted }], Added = [Letters.Plain()] }, Stop);

        await second.WaitAsync(ResilientClientUnderTest.Hang, Stop);
    }

    [Fact]
    public async Task A_letter_added_since_the_last_wait_ends_the_next_one()
    {
        await Store.WaitForLettersAsync(Hour, Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);

        await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);

        await Store.WaitForLettersAsync(Hour, Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);
    }

    [Fact]
    public async Task An_added_letter_ends_all_waits()
    {
        await Store.WaitForLettersAsync(Hour, Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);
        var waiting = Enumerable.Range(0, 3).Select(_ => Store.WaitForLettersAsync(Hour, Stop)).ToList();

        await Store.AddAsync(Letters.Plain(), Stop);

        await Task.WhenAll(waiting).WaitAsync(ResilientClientUnderTest.Hang, Stop);
    }

    [Fact]
    public async Task A_wait_without_a_new_letter_ends_at_its_timeout()
    {
        var time = new ManualTimeProvider();
        var store = Database.Open(time).DeadLetters;
        await store.WaitForLettersAsync(Hour, Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);
        await store.AddAsync(Letters.Plain(), Stop);
        await store.WaitForLettersAsync(Hour, Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);

        var waiting = store.WaitForLettersAsync(TimeSpan.FromMinutes(1), Stop);
        await time.UntilSomebodyWaitsAsync();
        time.Advance(TimeSpan.FromSeconds(59.9));
        await Task.Delay(50, Stop);
        waiting.IsCompleted.ShouldBeFalse();

        time.Advance(TimeSpan.FromSeconds(0.1));
        await waiting.WaitAsync(ResilientClientUnderTest.Hang, Stop);
    }

    [Fact]
    public async Task A_cancelled_wait_ends()
    {
        await Store.WaitForLettersAsync(Hour, Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);
        using var cancellation = new CancellationTokenSource();
        var waiting = Store.WaitForLettersAsync(Hour, cancellation.Token);

        await cancellation.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(waiting.WaitAsync(ResilientClientUnderTest.Hang, Stop));
    }
}
