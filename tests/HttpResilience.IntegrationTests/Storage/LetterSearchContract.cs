using HttpResilience.Operators;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>
/// The contract of <see cref="IDeadLetterStore.SearchAsync"/> and <see cref="IDeadLetterStore.CountSettledAsync"/>, for every store.
/// </summary>
public abstract class LetterSearchContract : StorageContract
{
    private IDeadLetterStore Store => field ??= Database.Open().DeadLetters;

    [Fact]
    public async Task A_step_looks_through_so_many_letters_and_says_where_the_next_one_goes_on()
    {
        var letters = await AddAsync(25, i => i is 0 or 3 or 24 ? "needle" : "hay");
        var query = new DeadLetterQuery { Text = "NEEDLE" };

        var first = await Store.SearchAsync(query, 10, Stop);
        (first.Letters.Select(l => l.Id), first.Looked, first.Before).ShouldBeLike([letters[24].Id], 10, letters[15].Id);
        var second = await Store.SearchAsync(query with { Before = first.Before }, 10, Stop);
        (second.Letters.Select(l => l.Id), second.Looked, second.Before).ShouldBeLike([], 10, letters[5].Id);
        var third = await Store.SearchAsync(query with { Before = second.Before }, 10, Stop);
        (third.Letters.Select(l => l.Id), third.Looked, third.Before).ShouldBeLike([letters[3].Id, letters[0].Id], 5, null);
    }

    [Fact]
    public async Task A_full_page_goes_on_after_its_last_letter()
    {
        var letters = await AddAsync(6, _ => "needle");

        var found = await Store.SearchAsync(new() { Text = "needle", Limit = 2, OmitBodies = true }, 5, Stop);

        (found.Letters.Select(l => l.Id), found.Looked, found.Before).ShouldBeLike([letters[5].Id, letters[4].Id], 5, letters[4].Id);
        found.Letters.ShouldAllBe(l => l.Body == null);
    }

    [Fact]
    public async Task Status_and_group_choose_the_letters_that_are_looked_through_and_the_other_criteria_those_that_match()
    {
        var letters = await AddAsync(
            12, i => i % 2 == 0 ? "even" : "odd", i => i % 3 == 0 ? DeadLetterStatus.RequiresReview : DeadLetterStatus.Pending);

        (await Store.SearchAsync(new() { Status = DeadLetterStatus.RequiresReview }, 3, Stop)).Looked.ShouldBe(3);
        var review = await Store.SearchAsync(new() { Status = DeadLetterStatus.RequiresReview, Text = "even" }, 100, Stop);
        (review.Letters.Select(l => l.Id), review.Looked, review.Before).ShouldBeLike([letters[6].Id, letters[0].Id], 4, null);
        var group = await Store.SearchAsync(new() { Fingerprint = letters[0].Fingerprint, Text = "odd" }, 100, Stop);
        (group.Letters.Select(l => l.Id), group.Looked, group.Before).ShouldBeLike([], 6, null);
        (await Store.SearchAsync(new() { ClientName = "nobody" }, 100, Stop)).Looked.ShouldBe(12);
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => Store.SearchAsync(new(), 0, Stop));
    }

    [Fact]
    public async Task Steps_over_several_statuses_find_each_letter_once_and_end()
    {
        DeadLetterStatus[] statuses = [DeadLetterStatus.Pending, DeadLetterStatus.RequiresReview, DeadLetterStatus.InProgress];
        // Those of one status are all newer than those of the others.
        var letters = await AddAsync(60, i => i % 4 == 0 ? "needle" : "hay", i => i < 40 ? statuses[i % 2] : statuses[2]);
        var review = new DeadLetterReview(Store, () => null, null!, TimeProvider.System, null);
        var filter = LetterFilter.Parse([new("text", "needle"), new("status", "open")], Noon);

        List<Guid> found = [];
        Guid? before = null;
        do
        {
            var step = await filter.SearchAsync(review, before, 4, TimeProvider.System, 9, Stop);
            found.AddRange(step.Letters.Select(l => l.Id));
            before = step.Before;
        }
        while (before is not null);

        found.ShouldBe(letters.Where((_, i) => i % 4 == 0).Select(l => l.Id).OrderDescending());
    }

    [Fact]
    public async Task Letters_that_a_purge_would_delete_are_counted_up_to_a_number()
    {
        var settled = Enumerable.Range(0, 5).Select(i => Letters.Plain(Noon, status: DeadLetterStatus.Resolved) with
        {
            FirstFailedAt = Noon.AddDays(i - 20),
            LastFailedAt = Noon.AddDays(-10),
            Resolution = new("Credited", null, "bob", Noon.AddDays(i - 9)),
            Tenant = i == 0 ? "a" : "b",
        }).ToList();
        foreach (var letter in settled)
            await Store.AddAsync(letter, Stop);
        await Store.AddAsync(Letters.Plain(Noon.AddDays(-100)), Stop);

        (await Store.CountSettledAsync(new(), Noon.AddDays(-6), 10, Stop)).ShouldBe(new(3, Noon.AddDays(-20)));
        (await Store.CountSettledAsync(new() { Tenant = "b", ClientName = "billing" }, Noon, 10, Stop)).ShouldBe(new(4, Noon.AddDays(-19)));
        (await Store.CountSettledAsync(new(), Noon, 2, Stop)).Count.ShouldBe(2);
        (await Store.CountSettledAsync(new(), Noon.AddDays(-90), 10, Stop)).ShouldBe(new(0, null));
        (await Store.PurgeAsync(new(), Noon.AddDays(-6), Stop)).ShouldBe(3);
    }

    [Fact]
    public async Task A_purge_is_written_down_in_the_transactions_that_delete()
    {
        await Task.WhenAll(Enumerable.Range(0, 2150).Select(_ => Store.AddAsync(
            Letters.Plain(Noon, status: DeadLetterStatus.Resolved) with { LastFailedAt = Noon }, Stop)));
        var activity = new OperatorActivity
        {
            Id = Guid.CreateVersion7(Noon),
            At = Noon,
            By = "olga",
            Action = "Purge",
            ClientName = "billing",
            Letters = 0,
        };

        (await Store.PurgeAsync(new(), Noon, activity, Stop)).ShouldBe(0);
        (await Database.Open().Activity.ListAsync(null, 10, Stop)).ShouldBeEmpty();

        (await Store.PurgeAsync(new(), Noon.AddSeconds(1), activity, Stop)).ShouldBe(2150);
        (await Database.Open().Activity.ListAsync(null, 10, Stop)).ShouldHaveSingleItem().ShouldBe(activity with { Letters = 2150 });
    }

    private async Task<List<DeadLetter>> AddAsync(int count, Func<int, string> title, Func<int, DeadLetterStatus>? status = null)
    {
        var letters = Enumerable.Range(0, count).Select(i => Letters.Plain(
            Noon, status: status?.Invoke(i) ?? DeadLetterStatus.Pending) with
        {
            Id = Guid.CreateVersion7(Noon.AddSeconds(i)),
            ErrorTitle = title(i),
        }).ToList();
        foreach (var letter in letters)
            await Store.AddAsync(letter, Stop);
        return letters;
    }
}

internal static class SearchAssertions
{
    internal static void ShouldBeLike(
        this (IEnumerable<Guid> Found, int Looked, Guid? Before) search, Guid[] found, int looked, Guid? before)
    {
        search.Found.ShouldBe(found);
        (search.Looked, search.Before).ShouldBe((looked, before));
    }
}
