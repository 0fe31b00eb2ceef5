using HttpResilience.IntegrationTests.Storage;

// Most tests wait for time, sockets and processes rather than for a core. A test that measures or counts what the whole
// process does is in the collection Alone.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
[assembly: AssemblyFixture(typeof(PostgreSqlServer))]
