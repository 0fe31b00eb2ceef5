using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Benchmarks;

/// <summary>What the error budget adds to each call that ends: it cannot be switched off, so it is measured by itself.</summary>
internal static class BudgetBenchmark
{
    private const int Calls = 1_000_000;
    private const int Passes = 10;

    internal static async Task<int> RunAsync()
    {
        Console.WriteLine($"{Calls} calls counted by the error budget of one client, the fastest of {Passes} passes");
        Console.WriteLine();
        Console.WriteLine("| calls | threads | time per call | bytes per call |");
        Console.WriteLine("|---|--:|--:|--:|");
        foreach (bool fails in (bool[])[false, true])
        {
            foreach (int threads in (int[])[1, 2])
                Console.WriteLine(await MeasureAsync(fails, threads));
        }

        return 0;
    }

    private static async Task<string> MeasureAsync(bool fails, int threads)
    {
        var services = new ServiceCollection().AddLogging();
        services.AddResilientHttpClient("api", options => options.ErrorBudget.PauseAtBurn = 1000);
        await using var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredKeyedService<ClientState>("api");
        double nanoseconds = double.MaxValue, bytes = double.MaxValue;
        for (int pass = 0; pass < Passes; pass++)
        {
            long began = Stopwatch.GetTimestamp();
            long[] allocated = await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(() => Count(client, fails, Calls / threads))));
            nanoseconds = Math.Min(nanoseconds, Stopwatch.GetElapsedTime(began).TotalNanoseconds * threads / Calls);
            bytes = Math.Min(bytes, allocated.Sum() / (double)Calls);
        }

        return string.Create(CultureInfo.InvariantCulture, $"| {(fails ? "that fail" : "that succeed")} | {threads} | {nanoseconds:0.0} ns | {bytes:0.###} |");
    }

    /// <returns>What was allocated.</returns>
    private static long Count(ClientState client, bool fails, int calls)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.example.com/");
        var call = HttpCall.Open(request, client);
        if (fails)
            call.Stop(StopReason.AttemptsExhausted, FailureClass.Transient);
        else
            call.Succeed(AttemptResult.Success(200), call.StartedAt, client.Time.GetTimestamp());
        call.End(cancelled: false);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < calls; i++)
            client.ErrorBudget.CallEnded(call);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
