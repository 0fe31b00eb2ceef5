using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>
/// Letters that together take more memory than the process has. HTTPRESILIENCE_LARGE_LETTERS is their number (default 200) and
/// HTTPRESILIENCE_HEAP_MIB the limit of the heap (default 160).
/// </summary>
public abstract class LargeLettersContract : CrashContract
{
    private const int BodyBytes = 1024 * 1024;

    private static int Count { get; } = Setting("HTTPRESILIENCE_LARGE_LETTERS", 200);

    private static int HeapMiB { get; } = Setting("HTTPRESILIENCE_HEAP_MIB", 160);

    [Fact]
    public async Task Letters_of_a_megabyte_are_all_sent_by_a_process_with_a_small_heap_and_none_requires_review()
    {
        long began = Stopwatch.GetTimestamp();
        var received = new ConcurrentDictionary<string, long>();
        await using var api = await KestrelServer.StartAsync(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            received.AddOrUpdate(context.Request.Headers["Idempotency-Key"].ToString(), body.Length, (_, _) => -1);
            context.Response.StatusCode = StatusCodes.Status201Created;
        });
        var store = Database.Open().DeadLetters;
        byte[] content = new byte[BodyBytes];
        new Random(1).NextBytes(content);
        for (int i = 0; i < Count; i++)
            await store.AddAsync(Order(api.Uri, i, content, Epoch) with { DueAt = Epoch.AddDays(1) }, Stop);

        await using var worker = WorkerProcess.Start(Settings(api.Uri, "small", TimeSpan.Zero) with { Speed = 1 }, HeapMiB);
        worker.Tell("replay-all");
        worker.Tell("finish");
        await worker.UntilAsync("drained", TimeSpan.FromMinutes(8));
        await worker.StopAsync();

        var counts = await store.CountAsync(Stop);
        string result = $"{(IsPostgreSql ? "PostgreSQL" : "SQLite")}: {Count} letters of 1 MiB, heap limit {HeapMiB} MiB: "
            + $"replayed {counts[DeadLetterStatus.Replayed]}, in review {counts[DeadLetterStatus.RequiresReview]}, "
            + $"{Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s";
        Print(result);
        worker.Lines.ShouldContain($"due {Count}");
        counts.ByStatus.ShouldBe(new Dictionary<DeadLetterStatus, long> { [DeadLetterStatus.Replayed] = Count }, result);
        received.Count.ShouldBe(Count, result);
        received.Values.ShouldAllBe(length => length == BodyBytes);
    }

    private static int Setting(string name, int byDefault) =>
        Environment.GetEnvironmentVariable(name) is { } value ? int.Parse(value, CultureInfo.InvariantCulture) : byDefault;
}
