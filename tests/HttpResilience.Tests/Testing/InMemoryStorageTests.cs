using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests;

/// <summary>What the store in memory does beyond the contract of every store.</summary>
public sealed class InMemoryStorageTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_failed_call_is_a_letter_in_the_store_and_survives_the_container()
    {
        var storage = new InMemoryStorage();
        using (var chain = new Chain(
            o => o.DeadLetter.Enabled = true, services: s => s.AddHttpResilienceStorage(b => b.UseInMemory(storage))))
        {
            chain.Server.Script(Replies.Status(422));
            (await chain.PostAsync()).Dispose();
        }

        var letter = (await storage.DeadLetters.ListAsync(new(), Stop)).ShouldHaveSingleItem();
        (letter.StatusCode, letter.Body!.Value.ToArray()).ShouldBe((422, "{\"number\":1}"u8.ToArray()), Comparer);
        await using var next = Open(storage);
        (await next.GetRequiredService<IDeadLetterStore>().FindAsync(letter.Id, Stop)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Each_container_has_a_store_of_its_own_unless_it_is_given_one()
    {
        await using var first = Open();
        await using var second = Open();
        await first.GetRequiredService<IErrorBudgetStore>().StartedAsync("1.0", DateTimeOffset.UnixEpoch, Stop);

        (await second.GetRequiredService<IErrorBudgetStore>().StartedAsync("2.0", DateTimeOffset.UnixEpoch, Stop)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_interceptor_sees_each_operation_and_decides_whether_it_runs()
    {
        var storage = new InMemoryStorage();
        List<InMemoryOperation> seen = [];
        storage.Intercept = (operation, run) =>
        {
            seen.Add(operation);
            return operation.Method == nameof(ICheckpointStore.DeleteAsync) ? throw new HttpResilienceStorageException("disk full") : run();
        };
        await using var services = Open(storage);
        var checkpoints = services.GetRequiredService<ICheckpointStore>();

        await checkpoints.BeginAsync("batch", Guid.NewGuid(), DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, Stop);
        await Should.ThrowAsync<HttpResilienceStorageException>(() => checkpoints.DeleteAsync("batch", Stop));
        storage.Intercept = null;

        seen.Select(o => (o.Store, o.Method, o.Argument)).ShouldBe(
            [(typeof(ICheckpointStore), "BeginAsync", "batch"), (typeof(ICheckpointStore), "DeleteAsync", "batch")]);
        (await checkpoints.DeleteAsync("batch", Stop)).ShouldBeTrue();
    }

    [Fact]
    public async Task An_interceptor_that_neither_runs_the_operation_nor_throws_is_an_error()
    {
        var storage = new InMemoryStorage { Intercept = (_, _) => Task.CompletedTask };

        (await Should.ThrowAsync<InvalidOperationException>(() => storage.DeadLetters.CountAsync(Stop))).Message
            .ShouldBe("Intercept neither ran CountAsync nor threw an exception.");
    }

    private static EqualityComparer<(int?, byte[])> Comparer { get; } =
        EqualityComparer<(int? Status, byte[] Body)>.Create((a, b) => a.Status == b.Status && a.Body.AsSpan().SequenceEqual(b.Body));

    private static ServiceProvider Open(InMemoryStorage? storage = null)
    {
        var services = new ServiceCollection().AddLogging();
        services.AddHttpResilienceStorage(b => b.UseInMemory(storage));
        return services.BuildServiceProvider();
    }
}
