using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>How every store is opened, by one or several processes at once, and closed.</summary>
public abstract class StorageLifetimeContract : StorageContract
{
    [Fact]
    public async Task Stored_data_is_there_when_the_database_is_opened_again()
    {
        var letter = Letters.Full();
        var request = new RememberedRequest("billing", "key", "hash", Guid.NewGuid(), Noon, Noon.AddSeconds(30));
        var first = Database.Open();
        await first.DeadLetters.AddAsync(letter, Stop);
        await first.IdempotencyKeys.BeginAsync(request, Stop);
        await first.IdempotencyKeys.CompleteAsync(request, new(201, null, [], new byte[] { 1 }), Noon.AddDays(1), Stop);
        await first.DisposeAsync();

        var second = Database.Open();

        (await second.DeadLetters.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
        (await second.IdempotencyKeys.BeginAsync(request with { Owner = Guid.NewGuid() }, Stop)).Response!.StatusCode.ShouldBe(201);
    }

    [Fact]
    public async Task A_provider_that_is_disposed_of_synchronously_closes_the_store()
    {
        var letter = Letters.Plain();
        using (var provider = Provider())
            await provider.GetRequiredService<IDeadLetterStore>().AddAsync(letter, Stop);

        // So does one on a thread to which nothing can be posted, such as that of a user interface.
        var blocked = new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(new NothingIsPosted());
            using var provider = Provider();
            provider.GetRequiredService<IDeadLetterStore>().AddAsync(Letters.Plain(), Stop).GetAwaiter().GetResult();
        });
        blocked.Start();
        blocked.Join(TimeSpan.FromMinutes(1)).ShouldBeTrue();

        (await Database.Open().DeadLetters.ListAsync(new(), Stop)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Concurrent_opens_of_an_empty_database_all_succeed()
    {
        var letters = Enumerable.Range(0, 8).Select(_ => Letters.Plain()).ToList();

        await Task.WhenAll(letters.Select(l => Task.Run(() => Database.Open().DeadLetters.AddAsync(l, Stop), Stop)));

        (await Database.Open().DeadLetters.ListAsync(new(), Stop)).Count.ShouldBe(8);
    }

    [Fact]
    public async Task Two_processes_change_the_same_database_at_once()
    {
        IHttpResilienceStorage[] storages = [Database.Open(), Database.Open()];

        bool[] added = await Task.WhenAll(
            Enumerable.Range(0, 300).Select(i => Task.Run(() => storages[i % 2].DeadLetters.AddAsync(Letters.Plain(), Stop), Stop)));

        added.ShouldAllBe(a => a);
        (await storages[0].DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(300);
        (await storages[1].DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(300);
    }

    private ServiceProvider Provider()
    {
        var services = new ServiceCollection();
        Database.AddTo(services);
        return services.BuildServiceProvider();
    }

    [Fact]
    public async Task A_cancelled_operation_has_no_effect()
    {
        var storage = Database.Open();
        var (letter, cancelled) = (Letters.Plain(), new CancellationToken(canceled: true));
        var request = new RememberedRequest("billing", "key", "hash", Guid.NewGuid(), Noon, Noon.AddSeconds(30));
        Func<Task>[] all =
        [
            () => storage.DeadLetters.AddAsync(letter, cancelled),
            () => storage.DeadLetters.FindAsync(letter.Id, cancelled),
            () => storage.DeadLetters.ListAsync(new(), cancelled),
            () => storage.DeadLetters.ClaimAsync(Letters.Claim(Noon), cancelled),
            () => storage.DeadLetters.UpdateAsync(letter, cancelled),
            () => storage.DeadLetters.CommitAsync(new() { Changed = [letter] }, cancelled),
            () => storage.DeadLetters.SearchAsync(new(), 1, cancelled),
            () => storage.DeadLetters.CountSettledAsync(new(), Noon, 1, cancelled),
            () => storage.DeadLetters.PurgeAsync(Noon, cancelled),
            () => storage.DeadLetters.CountAsync(cancelled),
            () => storage.DeadLetters.WaitForLettersAsync(TimeSpan.FromHours(1), cancelled),
            () => storage.IdempotencyKeys.BeginAsync(request, cancelled),
            () => storage.IdempotencyKeys.CompleteAsync(request, new(200, null, [], default), Noon, cancelled),
            () => storage.IdempotencyKeys.ForgetAsync(request, cancelled),
            () => storage.IdempotencyKeys.PurgeAsync(Noon, cancelled),
            () => storage.ErrorBudgets.AddAsync(
                new(Guid.NewGuid(), 1, Noon, [new("billing", "1.0", Noon, FailureClass.None, 1)]), cancelled),
            () => storage.ErrorBudgets.LoadAsync("billing", Noon, cancelled),
            () => storage.ErrorBudgets.SetPauseAsync(new("billing", true, null, Noon), cancelled),
            () => storage.ErrorBudgets.PausesAsync(cancelled),
            () => storage.ErrorBudgets.StartedAsync("1.0", Noon, cancelled),
            () => storage.ErrorBudgets.PurgeAsync(Noon, cancelled),
        ];

        foreach (var ask in all)
            await Should.ThrowAsync<OperationCanceledException>(ask);

        (await storage.DeadLetters.CountAsync(Stop)).ByStatus.ShouldBeEmpty();
    }

    [Fact]
    public async Task Operations_before_disposal_complete_and_later_ones_throw()
    {
        var storage = Database.Open();
        var letters = Enumerable.Range(0, 500).Select(_ => Letters.Plain()).ToList();
        var adding = letters.Select(l => storage.DeadLetters.AddAsync(l, Stop)).ToList();

        await storage.DisposeAsync();

        (await Task.WhenAll(adding)).ShouldAllBe(added => added);
        await Should.ThrowAsync<ObjectDisposedException>(() => storage.DeadLetters.AddAsync(Letters.Plain(), Stop));
        await Should.ThrowAsync<ObjectDisposedException>(() => storage.DeadLetters.FindAsync(Guid.NewGuid(), Stop));
        (await Database.Open().DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(500);
    }

    [Fact]
    public async Task An_unused_store_is_closed_at_once() => await Database.Open().DisposeAsync();

    private sealed class NothingIsPosted : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
        }
    }
}
