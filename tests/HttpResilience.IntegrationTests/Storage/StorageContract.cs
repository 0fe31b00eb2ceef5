namespace HttpResilience.IntegrationTests.Storage;

/// <summary>A test with its own database.</summary>
public abstract class StorageContract : IAsyncLifetime
{
    protected static readonly DateTimeOffset Noon = new(2030, 1, 2, 12, 0, 0, TimeSpan.Zero);

    protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    protected TestDatabase Database { get; private set; } = null!;

    protected abstract ValueTask<TestDatabase> CreateAsync();

    public async ValueTask InitializeAsync() => Database = await CreateAsync();

    /// <summary>Removes what a test has beside its database.</summary>
    protected virtual ValueTask CleanAsync() => default;

    public async ValueTask DisposeAsync()
    {
        if (Database is not null)
            await Database.DisposeAsync();
        await CleanAsync();
        GC.SuppressFinalize(this);
    }
}
