using System.Diagnostics;

namespace HttpResilience.IntegrationTests.Batches;

/// <summary>
/// Sources of any length in constant memory. Alone, because the memory of other tests would be measured as well.
/// </summary>
[Collection(nameof(Alone))]
public sealed class LongBatchTests(ITestOutputHelper output)
{
    private const int Records = 1_000_000;

    [Fact]
    public async Task A_million_records_of_an_async_stream_take_no_more_memory_than_ten_thousand()
    {
        var told = new Told();
        long began = Stopwatch.GetTimestamp();
        long atFirst = 0, peak = 0;

        var report = await IsolatedBatch.RunAsync(Source(),
            (record, _) => record.Number % 100 == 99 ? throw new FormatException("bad") : Task.CompletedTask,
            new() { Progress = told, Total = Records, RecordTimeout = null }, TestContext.Current.CancellationToken);

        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        output.WriteLine($"{Records} records in {seconds:0.0} s, live memory after 10,000: {atFirst / 1024} KiB, at its peak after that: "
            + $"{peak / 1024} KiB, told {told.Count} times");
        (report.Succeeded, report.Failed, report.Failures.Count).ShouldBe((990_000, 10_000, 1000));
        (peak - atFirst).ShouldBeLessThan(4 * 1024 * 1024);
        // The rate is limited, and the end is reported.
        told.Count.ShouldBeLessThanOrEqualTo((int)(seconds * 10) + 2);
        (told.Last!.Done, told.Last.Total).ShouldBe((Records, Records));

        async IAsyncEnumerable<Row> Source()
        {
            for (int i = 0; i < Records; i++)
            {
                if (i % 100_000 == 10_000)
                {
                    long now = GC.GetTotalMemory(forceFullCollection: true);
                    (atFirst, peak) = i == 10_000 ? (now, now) : (atFirst, Math.Max(peak, now));
                }

                if (i % 1000 == 0)
                    await Task.Yield();
                yield return new(i, new byte[100]);
            }
        }
    }

    private sealed record Row(int Number, byte[] Data);

    private sealed class Told : IProgress<BatchProgress>
    {
        public int Count { get; private set; }

        public BatchProgress? Last { get; private set; }

        public void Report(BatchProgress value) => (Count, Last) = (Count + 1, value);
    }
}
