using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Storage;

/// <summary>The start of a host with durable storage, and its clean-up.</summary>
public sealed class StorageStartTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_problems_of_a_section_are_reported_together_when_the_host_starts()
    {
        using var host = Build(new() { ["HttpResilience:Storage:Provider"] = "MySql", ["HttpResilience:Storage:ConnectionStrin"] = "x" },
            connectionString: null);

        var failure = await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync(Stop));

        failure.Failures.ShouldBe(
        [
            "HttpResilience:Storage:ConnectionStrin is not a known key; did you mean HttpResilience:Storage:ConnectionString?",
            "HttpResilience:Storage:Provider is 'MySql'; it must be one of Memory, which AddHttpResilienceStorage names.",
        ]);
    }

    [Theory]
    [InlineData("Orders"), InlineData("pg_orders"), InlineData("1st"), InlineData("a.b"), InlineData("a\"; DROP"), InlineData(" ")]
    [InlineData("orders\n"), InlineData("a23456789012345678901234567890123456789012345678901")]
    public async Task A_name_that_no_schema_has_is_reported_when_the_host_starts(string name)
    {
        using var host = Build(new() { ["HttpResilience:Storage:Schema"] = name }, "memory");

        (await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync(Stop))).Failures.ShouldHaveSingleItem()
            .ShouldStartWith("HttpResilience:Storage:Schema is ");
    }

    [Fact]
    public async Task A_missing_connection_string_is_reported_when_the_host_starts()
    {
        using var host = Build([], connectionString: null);

        (await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync(Stop))).Failures
            .ShouldBe(["HttpResilience:Storage:ConnectionString is missing; give it there or to UseMemory."]);
    }

    [Fact]
    public async Task Expired_rows_are_deleted_every_hour_and_a_failing_store_is_tried_again()
    {
        var clock = new ManualTimeProvider();
        var store = new TestStorage();
        using var logs = new LogCollector();
        using var host = Build([], "memory", clock, store, logs);
        await host.StartAsync(Stop);
        await store.IdempotencyKeys.BeginAsync(new("api", "key", "hash", Guid.NewGuid(), clock.GetUtcNow(),
            clock.GetUtcNow())
        { ExpiresAt = clock.GetUtcNow() + TimeSpan.FromHours(1) }, Stop);

        await clock.TimerDueInAsync(StorageUpkeep.FirstDelay);
        store.Fails = new HttpResilienceStorageException("gone");
        clock.Advance(TimeSpan.FromHours(1));
        await Eventually(() => logs.WithId(524).Count == 1);
        store.Keys.ShouldNotBeEmpty();

        store.Fails = null;
        clock.Advance(TimeSpan.FromHours(1));
        await Eventually(() => store.Keys.Count == 0);
        await host.StopAsync(Stop);
    }

    private static async Task Eventually(Func<bool> condition)
    {
        while (!condition())
            await Task.Yield();
    }

    private static IHost Build(
        Dictionary<string, string?> settings, string? connectionString, TimeProvider? time = null, TestStorage? store = null,
        ILoggerProvider? logs = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(settings);
        if (time is not null)
            builder.Services.AddSingleton(time);
        if (logs is not null)
            builder.Logging.AddProvider(logs);
        builder.Services.AddHttpResilienceStorage(
            storage => storage.Use(new("Memory", connectionString, (_, _) => (store ?? new()).Storage)));
        return builder.Build();
    }

}
