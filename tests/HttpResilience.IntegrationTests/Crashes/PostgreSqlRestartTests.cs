using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>The database server, one for these tests alone, stops in the middle of work and comes back.</summary>
public sealed class PostgreSqlRestartTests(PostgreSqlServer server) : StorageContract, IClassFixture<PostgreSqlServer>
{
    private static readonly (int Start, int Count) Due = (1_000_000, 1500);

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    [Theory, InlineData("restart -m fast"), InlineData("restart -m immediate"), InlineData("pg_terminate_backend")]
    public async Task A_restart_of_the_server_loses_no_stored_letter_and_the_worker_continues(string trouble)
    {
        string client = $"orders {trouble}";
        await using var api = await OrdersApi.StartAsync(0);
        (api.IsFaulty, api.Always, api.Spares, api.Takes) = (true, Fault.Busy, "letter-", TimeSpan.FromMilliseconds(10));
        await AddDueAsync(api, client);
        using var lost = new LostLetters(client);
        using var host = await StartAsync(api, client);
        ConcurrentDictionary<int, Guid?> ended = [];
        var (last, slowest, over) = (0, 0L, false);
        long back = 0, replayed = 0;
        Database.Log.Logged += line =>
        {
            if (line.EventId == 511 && Volatile.Read(ref back) != 0 && line["Status"] is DeadLetterStatus.Replayed)
                Interlocked.CompareExchange(ref replayed, Stopwatch.GetTimestamp(), 0);
        };

        var sending = Enumerable.Range(0, 4).Select(_ => Task.Run(SendAsync, Stop)).ToList();
        await Eventually.BeAsync(() => ended.Count > 20);
        if (trouble == "pg_terminate_backend")
        {
            string name = ((PostgreSqlTestDatabase)Database).Name;
            await server.ExecuteAsync(name,
                $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'HttpResilience'");
        }
        else
        {
            await server.RestartAsync(trouble.Split(' ')[^1]);
        }

        Volatile.Write(ref back, Stopwatch.GetTimestamp());
        await Eventually.BeAsync(() => Interlocked.Read(ref replayed) != 0);
        Volatile.Write(ref over, true);
        await Task.WhenAll(sending);
        api.IsFaulty = false;
        await host.Services.GetRequiredService<IDeadLetterReview>().ReplayManyAsync(
            new() { Status = DeadLetterStatus.Pending }, 10_000, "the test", cancellationToken: Stop);
        // A result that the worker could not store waits until the lease expires.
        await UntilDrainedAsync(host.Services.GetRequiredService<IDeadLetterReview>());
        await host.StopAsync(Stop);

        var store = Database.Open().DeadLetters;
        int criticals = Database.Log.Lines.Count(l => l.EventId == 501), unkept = ended.Count(e => e.Value is null);
        string result = $"{trouble}: calls={ended.Count} kept={ended.Count - unkept} not kept={unkept} criticals={criticals} "
            + $"lost={ended.Count(e => e.Value is not null && e.Value != Guid.Empty && api.Processed(e.Key) != 1)} "
            + $"recovery={Stopwatch.GetElapsedTime(back, replayed).TotalSeconds:0.00} s, "
            + $"slowest call {TimeSpan.FromTicks(slowest).TotalSeconds:0.00} s";
        TestContext.Current.TestOutputHelper?.WriteLine(result);
        foreach (var (number, id) in ended.Where(e => e.Value is not null))
        {
            api.Processed(number).ShouldBe(1, result);
            if (id != Guid.Empty)
                (await store.FindAsync(id!.Value, Stop)).ShouldNotBeNull(result).Status.ShouldBe(DeadLetterStatus.Replayed, result);
        }

        Enumerable.Range(Due.Start, Due.Count).ShouldAllBe(n => api.Processed(n) == 1, result);
        ended.Count(e => e.Value is not null).ShouldBeGreaterThan(10, result);
        (criticals, (int)lost.Count).ShouldBe((unkept, unkept), result);
        TimeSpan.FromTicks(slowest).ShouldBeLessThan(TimeSpan.FromSeconds(25), result);

        async Task SendAsync()
        {
            using var http = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(client);
            while (!Volatile.Read(ref over))
            {
                int number = Interlocked.Increment(ref last);
                long began = Stopwatch.GetTimestamp();
                using var request = new HttpRequestMessage(HttpMethod.Post, "orders").WithIdempotencyKey($"key-{number}");
                request.Content = new StringContent(number.ToString(CultureInfo.InvariantCulture));
                HttpCall? call;
                try
                {
                    using var response = await http.SendAsync(request, Stop);
                    call = response.GetHttpCall();
                }
                catch (HttpRequestException e)
                {
                    call = e.GetHttpCall();
                }

                ended[number] = call!.FailureClass is FailureClass.None ? Guid.Empty : call.DeadLetterId;
                long took = Stopwatch.GetElapsedTime(began).Ticks;
                for (long before = Volatile.Read(ref slowest); took > before; before = Volatile.Read(ref slowest))
                    Interlocked.CompareExchange(ref slowest, took, before);
                await Task.Delay(10, Stop);
            }
        }
    }

    /// <summary>Letters that keep the worker busy.</summary>
    private async Task AddDueAsync(OrdersApi api, string client)
    {
        var store = Database.Open().DeadLetters;
        var now = DateTimeOffset.UtcNow;
        await Task.WhenAll(Enumerable.Range(Due.Start, Due.Count).Select(n => store.AddAsync(Letters.Plain(now, client) with
        {
            Uri = new(api.Uri, "orders"),
            Body = Encoding.UTF8.GetBytes(n.ToString(CultureInfo.InvariantCulture)),
            IdempotencyKey = $"letter-{n}",
            FirstFailedAt = now,
        }, Stop)));
    }

    private static async Task UntilDrainedAsync(IDeadLetterReview review)
    {
        long began = Stopwatch.GetTimestamp();
        while (await review.CountAsync(Stop) is var counts && counts[DeadLetterStatus.Pending] + counts[DeadLetterStatus.InProgress] > 0)
        {
            Stopwatch.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromSeconds(90), string.Join(", ", counts.ByStatus));
            await Task.Delay(50, Stop);
        }
    }

    private async Task<IHost> StartAsync(OrdersApi api, string client)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.Information).AddProvider(Database.Log);
        Database.AddTo(builder.Services).AddDeadLetterReplay();
        builder.Services.AddResilientHttpClient(client, options =>
        {
            options.BaseAddress = api.Uri;
            options.DeadLetter.Enabled = true;
            options.DeadLetter.MaxReplays = int.MaxValue;
            options.Retry.MaxRetryAttempts = 0;
            options.CircuitBreaker.BreakDuration = null;
        });
        var host = builder.Build();
        await host.StartAsync(Stop);
        return host;
    }
}
