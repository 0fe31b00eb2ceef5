namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The contract of <see cref="IIncidentStore"/>, for every store.</summary>
public abstract class IncidentStoreContract : StorageContract
{
    private static readonly Guid Self = Guid.NewGuid(), Other = Guid.NewGuid();

    private IIncidentStore Store => field ??= Database.Open().Incidents;

    [Fact]
    public async Task A_stored_incident_is_listed_by_every_process_of_the_application_with_the_next_version()
    {
        var incident = New("[\"Calls\",\"orders\",null]") with
        {
            Alert = """{"title":"Grüße \ud83d\ude00 '; DROP TABLE incidents"}""",
            SentAt = Noon.AddSeconds(1),
            SeenBy = new Dictionary<Guid, DateTimeOffset> { [Self] = Noon.AddMicroseconds(1), [Other] = Noon.AddYears(-40) },
        };

        (await Store.SaveAsync(incident, Stop)).ShouldBeTrue();

        var stored = (await Database.Open().Incidents.ListAsync(Stop)).ShouldHaveSingleItem();
        stored.SeenBy.ShouldBe(incident.SeenBy, ignoreOrder: true);
        (stored with { SeenBy = incident.SeenBy }).ShouldBe(incident with { Version = 1 });
    }

    [Fact]
    public async Task An_incident_is_stored_only_by_the_one_that_has_read_its_latest_version()
    {
        (await Store.SaveAsync(New("a"), Stop)).ShouldBeTrue();
        (await Store.SaveAsync(New("a") with { Sender = Other }, Stop)).ShouldBeFalse();
        (await Store.SaveAsync(New("b") with { Version = 1 }, Stop)).ShouldBeFalse();
        (await Store.SaveAsync(New("a") with { Version = 2 }, Stop)).ShouldBeFalse();

        (await Store.SaveAsync(New("a") with { Version = 1, Alert = "{}" }, Stop)).ShouldBeTrue();
        (await Store.SaveAsync(New("a") with { Version = 1 }, Stop)).ShouldBeFalse();

        (await Store.ListAsync(Stop)).Select(i => (i.Key, i.Version, i.Alert, i.Sender)).ShouldBe([("a", 2, "{}", Self)]);
    }

    [Fact]
    public async Task Of_many_processes_at_once_one_begins_an_incident_and_every_change_is_based_on_the_last()
    {
        IIncidentStore[] stores = [Store, Database.Open().Incidents, Database.Open().Incidents];
        var begun = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(() => stores[i % 3].SaveAsync(New("a"), Stop), Stop)));
        begun.Count(b => b).ShouldBe(1);

        int written = 0;
        await Task.WhenAll(stores.Select(store => Task.Run(async () =>
        {
            for (int i = 0; i < 30; i++)
            {
                var row = (await store.ListAsync(Stop)).Single();
                if (await store.SaveAsync(row with { Alert = $"{row.Alert}x" }, Stop))
                    Interlocked.Increment(ref written);
            }
        }, Stop)));

        var last = (await Store.ListAsync(Stop)).Single();
        (last.Version, last.Alert.Length).ShouldBe((written + 1, "alert".Length + written));
    }

    [Fact]
    public async Task Incidents_belong_to_their_application()
    {
        var (a, b) = (Database.Open(application: "a").Incidents, Database.Open(application: "A").Incidents);

        (await a.SaveAsync(New("x"), Stop)).ShouldBeTrue();
        (await b.SaveAsync(New("x") with { Sender = Other }, Stop)).ShouldBeTrue();
        (await b.SaveAsync(New("X"), Stop)).ShouldBeTrue();

        (await a.ListAsync(Stop)).ShouldHaveSingleItem().Sender.ShouldBe(Self);
        (await b.ListAsync(Stop)).Select(i => i.Key).ShouldBe(["X", "x"]);
    }

    [Fact]
    public async Task Only_incidents_that_were_not_changed_lately_are_purged()
    {
        await Store.SaveAsync(New("old") with { ChangedAt = Noon.AddMicroseconds(-1) }, Stop);
        await Store.SaveAsync(New("new"), Stop);

        (await Store.PurgeAsync(Noon, Stop)).ShouldBe(1);

        (await Store.ListAsync(Stop)).ShouldHaveSingleItem().Key.ShouldBe("new");
        (await Store.SaveAsync(New("old"), Stop)).ShouldBeTrue();
    }

    [Fact]
    public async Task Texts_that_a_database_rejects_are_stored_without_them()
    {
        await Store.SaveAsync(New("a\0b") with { Alert = "\ud800" }, Stop);
        await Store.SaveAsync(New(new string('k', 1000)), Stop);

        (await Store.ListAsync(Stop)).Select(i => (i.Key, i.Alert)).ShouldBe([("a\ufffdb", "\ufffd"), (new string('k', 1000), "alert")]);
    }

    [Theory]
    [InlineData("[]", 0), InlineData("{", 0), InlineData("null", 0), InlineData("{\"x\":\"1\"}", 0)]
    [InlineData("{\"01a20288-b3f0-7d40-9c57-3f0a8f5b2a11\":\"99999999999999999\",\"01a20288-b3f0-7d40-9c57-3f0a8f5b2a12\":\"x\"}", 1)]
    public async Task Observations_that_were_edited_count_as_none_where_they_cannot_be_read(string seenBy, int known)
    {
        // The in-memory store has no SQL.
        if (Database is InMemoryTestDatabase)
            return;
        await Store.SaveAsync(New("a"), Stop);
        await Database.ScalarAsync($"UPDATE incidents SET seen_by = '{seenBy}'");

        (await Store.ListAsync(Stop)).ShouldHaveSingleItem().SeenBy.Count.ShouldBe(known);
    }

    private static StorageIncident New(string key) => new()
    {
        Key = key,
        Alert = "alert",
        Sender = Self,
        LeaseUntil = Noon.AddMinutes(1),
        ChangedAt = Noon,
    };
}
