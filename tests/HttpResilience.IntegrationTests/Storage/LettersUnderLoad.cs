using System.Diagnostics;
using System.Globalization;
using HttpResilience.IntegrationTests.Crashes;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>
/// Programs whose calls all fail, so that each becomes a letter. HTTPRESILIENCE_LOAD_SECONDS is the time for which they send; default 3.
/// </summary>
internal sealed class LettersUnderLoad : IAsyncDisposable
{
    private readonly List<WorkerProcess> _programs = [];

    internal static int Seconds => Environment.GetEnvironmentVariable("HTTPRESILIENCE_LOAD_SECONDS") is { } given
        ? int.Parse(given, CultureInfo.InvariantCulture) : 3;

    /// <summary>Whether times and numbers are to be proved, on a machine that does nothing else.</summary>
    internal static bool IsProof => Environment.GetEnvironmentVariable("HTTPRESILIENCE_LOAD_SECONDS") is not null;

    /// <summary>The letters that were reported to the programs as kept.</summary>
    internal IReadOnlyList<Guid> Kept =>
        [.. Lines.Where(l => l.StartsWith("kept ", StringComparison.Ordinal)).Select(l => Guid.Parse(l[5..]))];

    /// <summary>The number of letters that were reported to the programs as lost.</summary>
    internal int Refused => Lines.Count(l => l == "refused");

    internal IEnumerable<string> Lines => _programs.SelectMany(p => p.Lines);

    internal static async Task<LettersUnderLoad> StartAsync(OrdersApi api, string connectionString, int programs)
    {
        (api.IsFaulty, api.Always) = (true, Fault.Busy);
        var load = new LettersUnderLoad();
        for (int i = 1; i <= programs; i++)
        {
            load._programs.Add(WorkerProcess.Start(new()
            {
                Name = $"program-{i}",
                IsPostgreSql = true,
                ConnectionString = connectionString,
                Api = api.Uri,
                Epoch = DateTimeOffset.UtcNow,
                Replays = false,
                MaxConcurrency = 16,
            }));
        }

        foreach (var program in load._programs)
            await program.UntilAsync("ready");
        for (int i = 0; i < programs; i++)
            load._programs[i].Tell($"load {Seconds} program-{i + 1}");
        return load;
    }

    internal async Task UntilOverAsync()
    {
        foreach (var program in _programs)
        {
            await program.UntilAsync("loaded", TimeSpan.FromSeconds(Seconds) + ResilientClientUnderTest.Hang);
            await program.StopAsync();
        }
    }

    /// <summary>The letters that were reported as kept and are not in the store.</summary>
    internal async Task<int> LostAsync(IDeadLetterStore store)
    {
        HashSet<Guid> stored = [];
        DeadLetterQuery query = new() { Limit = 1000 };
        while (await store.ListAsync(query, TestContext.Current.CancellationToken) is { Count: > 0 } page)
        {
            stored.UnionWith(page.Select(l => l.Id));
            query = query with { Before = page[^1].Id };
        }

        return Kept.Count(id => !stored.Contains(id));
    }

    internal void Print(string what, long began, int lost) => TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{what}: programs={_programs.Count} seconds={Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} kept={Kept.Count} "
            + $"refused={Refused} lost={lost}"));

    public async ValueTask DisposeAsync()
    {
        foreach (var program in _programs)
            await program.DisposeAsync();
    }
}
