using System.Collections.Concurrent;
using System.Net;

namespace HttpResilience.Tests.Time;

/// <summary>Cancellation sources are used again by later calls. No call may hear of another's end.</summary>
public sealed class TimerReuseTests
{
    private const int Workers = 8;
    private const int CallsPerWorker = 400;

    [Fact]
    public async Task A_call_that_is_cancelled_or_times_out_ends_no_other()
    {
        int seed = Random.Shared.Next();
        using var chain = new Chain(o => (o.Retry.MaxRetryAttempts, o.CircuitBreaker.BreakDuration) = (0, null));
        var told = new ConcurrentBag<string>();
        var current = new AsyncLocal<string>();
        chain.Server.Script(async (_, _, token) =>
        {
            // Left behind, as careless handlers do.
            string call = current.Value!;
            token.Register(() => told.Add(call));
            await Task.Yield();
            token.ThrowIfCancellationRequested();
            return new(HttpStatusCode.OK);
        });

        async Task<IEnumerable<string>> WorkAsync(int worker)
        {
            var random = new Random(seed + worker);
            var cancelled = new List<string>();
            for (int i = 0; i < CallsPerWorker; i++)
            {
                string call = $"{worker}/{i}";
                bool cancels = random.Next(3) == 0;
                current.Value = call;
                using var caller = new CancellationTokenSource();
                var sending = chain.SendAsync(true, Chain.Get(), caller.Token);
                if (cancels)
                {
                    cancelled.Add(call);
                    await caller.CancelAsync();
                }

                var thrown = await Record.ExceptionAsync(async () => (await sending).Dispose());
                if (thrown is not null)
                    thrown.ShouldBeAssignableTo<OperationCanceledException>($"seed {seed}")!.CancellationToken.ShouldBe(
                        caller.Token, $"seed {seed}");
                (thrown is null || cancels).ShouldBeTrue($"call {call} ended with {thrown}; seed {seed}");
                // Too late for this call, while others are under way.
                if (random.Next(2) == 0)
                    await caller.CancelAsync();
            }

            return cancelled;
        }

        var cancelled = await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(() => WorkAsync(worker))));

        told.Except(cancelled.SelectMany(c => c)).ShouldBeEmpty($"seed {seed}");
    }

    [Fact]
    public async Task The_time_of_a_call_that_has_ended_ends_no_later_one()
    {
        using var chain = new Chain(o => (o.Retry.MaxRetryAttempts, o.AttemptTimeout.Timeout) = (0, TimeSpan.FromSeconds(10)));
        chain.Server.Script(Replies.After(TimeSpan.FromSeconds(7), Replies.Status(200)));

        for (int i = 0; i < 20; i++)
        {
            using var response = await chain.GetAsync();
            response.GetHttpCall()!.Elapsed.ShouldBe(TimeSpan.FromSeconds(7));
        }

        chain.Server.Script(Replies.Stalls());
        var thrown = await Assert.ThrowsAnyAsync<TaskCanceledException>(() => chain.GetAsync());
        thrown.GetHttpCall()!.Elapsed.ShouldBe(TimeSpan.FromSeconds(10));
    }
}
