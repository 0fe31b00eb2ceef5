using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace HttpResilience.IntegrationTests;

/// <summary>Runs alone, because it checks unobserved exceptions of the whole process.</summary>
[Collection(nameof(Alone))]
public sealed class MixedFaultsTests
{
    private const int Calls = 200;

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public async Task Every_post_is_processed_and_all_its_attempts_carry_one_key(int seed)
    {
        List<string> unobserved = [];
        CollectGarbage();
        void Note(object? sender, UnobservedTaskExceptionEventArgs e) => unobserved.Add(e.Exception.ToString());
        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            await SendAllAsync(seed);
            CollectGarbage();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }

        unobserved.ShouldBeEmpty();
    }

    private static async Task SendAllAsync(int seed)
    {
        var received = new ConcurrentQueue<(string Row, string Key)>();
        var processed = new ConcurrentDictionary<string, int>();
        var seen = new ConcurrentDictionary<string, int>();
        await using var server = await KestrelServer.StartAsync(async context =>
        {
            string row = context.Request.Query["row"].ToString();
            string key = context.Request.Headers["Idempotency-Key"].ToString();
            received.Enqueue((row, key));
            int attempt = seen.AddOrUpdate(row, 1, (_, n) => n + 1);
            // The same fault for a row and attempt in every run, in any order; a third of the attempts succeed.
            int fault = attempt > 8
                ? 0
                : new Random(seed * 1_000_003 + int.Parse(row, CultureInfo.InvariantCulture) * 31 + attempt).Next(12);
            await (fault switch
            {
                <= 3 => ProcessAsync(context, row, Reply.With(201)),
                4 => Reply.Unavailable(context),
                5 => Reply.With(429, "", ("retry-after-ms", "20"))(context),
                6 => Reply.With(503, "", ("Retry-After", "0.02"))(context),
                7 => Reply.Bytes(500, 20_000)(context),
                8 => AbortUnreadAsync(context),
                9 => ProcessAsync(context, row, Reply.Abort),
                10 => ProcessAsync(context, row, Reply.Stall(503, "half", length: 100)),
                _ => ProcessAsync(context, row, Reply.Silence),
            });
        });
        await using var client = new ResilientClientUnderTest(server.Uri, options =>
        {
            options.Retry.MaxRetryAttempts = 20;
            options.Retry.UseJitter = true;
            options.AttemptTimeout.Timeout = TimeSpan.FromMilliseconds(500);
        });

        var statuses = await Task.WhenAll(Enumerable.Range(0, Calls).Select(async row =>
        {
            using var response = await client.Client.SendAsync(
                row % 20 == 0 ? Mode.Sync : Mode.Async,
                new HttpRequestMessage(HttpMethod.Post, $"/?row={row}") { Content = new StringContent($"row {row}") });
            response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
            return response.StatusCode;
        }));

        statuses.ShouldAllBe(s => s == HttpStatusCode.Created);
        processed.Count.ShouldBe(Calls, $"seed {seed}");
        var keysOfRows = received.GroupBy(r => r.Row).ToArray();
        keysOfRows.ShouldAllBe(row => row.Select(r => r.Key).Distinct().Count() == 1);
        keysOfRows.Select(row => row.First().Key).Distinct().Count().ShouldBe(Calls);
        client.Log.Calls.Count.ShouldBe(Calls);

        async Task ProcessAsync(HttpContext context, string row, RequestDelegate answer)
        {
            processed.AddOrUpdate(row, 1, (_, n) => n + 1);
            await answer(context);
        }
    }

    private static Task AbortUnreadAsync(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }

    private static void CollectGarbage()
    {
        for (int round = 0; round < 3; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}

[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
