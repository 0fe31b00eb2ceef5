using System.Data.Common;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The store of the Testing package. It has no SQL.</summary>
internal sealed class InMemoryTestDatabase : TestDatabase
{
    private readonly InMemoryStorage _storage = new();

    protected override void Use(HttpResilienceStorageBuilder storage, string connectionString) => storage.UseInMemory(_storage);

    protected override DbConnection Connect() => throw new NotSupportedException("The in-memory store has no SQL.");

    protected override ValueTask DeleteAsync() => _storage.DisposeAsync();
}
