using System.Net;
using HttpResilience.Tests.CircuitBreaker;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>Letters of one host are claimed as fast as it processes them, and released when it stops.</summary>
public sealed class DrainTests : ReplayTestBase
{
    private const int Many = 600;

    private int _asked;
    private int _sent;
    private int _atOnce;
    private int _mostAtOnce;

    [Fact]
    public async Task Letters_of_a_fast_host_are_claimed_many_at_once_and_sent_few_at_once()
    {
        var chain = Open();
        // The first waits for a second beside it: a machine that is busy must not send one after the other.
        var two = new TaskCompletionSource();
        chain.Server.Script((_, _, _) =>
        {
            var answering = AnswerAsync(two.Task);
            if (Volatile.Read(ref _mostAtOnce) > 1)
                two.TrySetResult();
            return answering;
        });
        await AddAsync(Many);

        await StartAsync();
        await EventuallyAsync(() => Count(DeadLetterStatus.Replayed) == Many);

        _sent.ShouldBe(Many);
        _mostAtOnce.ShouldBeInRange(2, 4);
        Store.Claims.Where(c => c.Only is not null).Max(c => c.Limit).ShouldBeInRange(100, 512);
        // Claims of four letters each would be 150.
        Store.Claims.Count.ShouldBeLessThan(75);
    }

    [Fact]
    public async Task While_a_fast_host_is_drained_the_store_is_rarely_asked_for_letters_of_others()
    {
        const int Letters = 3000;
        var chain = Open();
        chain.Server.Script((_, _, _) => AnswerAsync(Task.CompletedTask));
        await AddAsync(Letters);

        await StartAsync();
        await EventuallyAsync(() => Count(DeadLetterStatus.Replayed) == Letters);

        DeadLetterClaim[] claims = [.. Store.Claims];
        int first = Array.FindIndex(claims, c => c.Only is not null), last = Array.FindLastIndex(claims, c => c.Only is not null);
        (last - first).ShouldBeGreaterThan(4);
        // The clock stands still, so that it is asked once.
        claims[first..last].Count(c => c.Only is null).ShouldBeLessThanOrEqualTo(2);
    }

    [Fact]
    public async Task A_letter_of_another_host_that_comes_while_a_fast_one_is_drained_is_sent_before_the_worker_waits()
    {
        var chain = Open(o => o.DeadLetter.AllowedAuthorities = ["https://files.test"]);
        var other = Letter() with { Uri = new("https://files.test/upload") };
        chain.Server.Script(async (_, _, _) =>
        {
            if (Volatile.Read(ref _sent) == 300)
                await AddAsync(other with { Id = Guid.CreateVersion7() });
            return await AnswerAsync(Task.CompletedTask);
        });
        await AddAsync(Many);

        await StartAsync();
        await EventuallyAsync(() => Count(DeadLetterStatus.Replayed) == Store.Letters.Count && _sent > Many);

        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task No_more_letters_of_a_slow_host_are_claimed_ahead_than_are_sent_at_once()
    {
        var chain = Open(replay: o => o.MaxConcurrencyPerAuthority = 1);
        int mostUnanswered = 0;
        chain.Server.Script((_, _, _) =>
        {
            // One letter after the other: all that were sent before are answered, whether their result is stored yet or not.
            int claimed = Store.Letters.Count(l => l.Status is not DeadLetterStatus.Pending);
            mostUnanswered = Math.Max(mostUnanswered, claimed - Volatile.Read(ref _sent));
            chain.Clock.Advance(TimeSpan.FromSeconds(1));
            return AnswerAsync(Task.CompletedTask);
        });
        await AddAsync(20);

        await StartAsync();
        await EventuallyAsync(() => Count(DeadLetterStatus.Replayed) == 20);

        // The one that is being sent, and the one after it.
        mostUnanswered.ShouldBeInRange(1, 2);
        Store.Claims.ShouldAllBe(c => c.Only == null);
    }

    [Fact]
    public async Task The_next_letter_is_sent_while_the_result_of_the_last_is_stored()
    {
        var chain = Open(replay: o => (o.MaxConcurrency, o.MaxConcurrencyPerAuthority) = (1, 1));
        var mayUpdate = new TaskCompletionSource();
        Store.Before(nameof(IDeadLetterStore.UpdateAsync), () => mayUpdate.Task.WaitAsync(Hang, TestContext.Current.CancellationToken));
        chain.Server.Script((_, _, _) => AnswerAsync(Task.CompletedTask));
        await AddAsync(2);

        await StartAsync();
        await EventuallyAsync(() => _sent == 2);

        Count(DeadLetterStatus.InProgress).ShouldBe(2);
        mayUpdate.SetResult();
        await EventuallyAsync(() => Count(DeadLetterStatus.Replayed) == 2);
        _mostAtOnce.ShouldBe(1);
    }

    [Fact]
    public async Task A_slow_store_delays_sending_only_at_the_limit_of_unwritten_results()
    {
        const int Letters = 3000;
        var chain = Open();
        var mayUpdate = new TaskCompletionSource();
        Store.Before(nameof(IDeadLetterStore.UpdateAsync), () => mayUpdate.Task.WaitAsync(Hang, TestContext.Current.CancellationToken));
        chain.Server.Script((_, _, _) => AnswerAsync(Task.CompletedTask));
        await AddAsync(Letters);

        await StartAsync();
        // All claimed letters are answered.
        await EventuallyAsync(() => Volatile.Read(ref _sent) >= 1024
            && Count(DeadLetterStatus.InProgress) == Volatile.Read(ref _sent));
        // What may be unwritten, what may be fetched of a fast host at once, and the few that were fetched before it was known to be one.
        _sent.ShouldBeInRange(1024, 1024 + 512 + 8);

        mayUpdate.SetResult();
        await EventuallyAsync(() => Count(DeadLetterStatus.Replayed) == Letters);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
    }

    [Theory, InlineData(503, false), InlineData(429, true)]
    public async Task Claimed_letters_are_released_unchanged_when_a_circuit_opens_or_a_pause_begins(int status, bool pause)
    {
        var chain = Open(o => o.CircuitBreaker.UseClassic().FailureThreshold = 1);
        // Longer than a call may take: one that finds the pause when it has begun already does not
        // wait for it, on a clock that stands still.
        var refusal = pause ? Replies.Status(status, ("Retry-After", "200")) : Replies.Status(status);
        chain.Server.Script((request, attempt, token) => _sent >= 300 ? refusal(request, attempt, token) : AnswerAsync(Task.CompletedTask));
        await AddAsync(Many);

        await StartAsync();
        await EventuallyAsync(() => Count(DeadLetterStatus.InProgress) == 0 && Count(DeadLetterStatus.Replayed) >= 300);

        Store.Letters.Count(l => l.Status is DeadLetterStatus.Pending).ShouldBeGreaterThan(280);
        Store.Letters.Count(l => l.Status is DeadLetterStatus.Pending
            && (l.Replays, l.StopReason, l.MayHaveBeenProcessed) != (0, StopReason.AttemptsExhausted, false)).ShouldBeLessThanOrEqualTo(8);
        chain.Server.Requests.Count.ShouldBeLessThanOrEqualTo(307);
    }

    [Fact]
    public async Task Claimed_letters_are_released_at_once_when_the_worker_stops()
    {
        var chain = Open();
        var answer = new TaskCompletionSource();
        chain.Server.Script(
            (_, _, token) => AnswerAsync(Interlocked.Increment(ref _asked) <= 10 ? Task.CompletedTask : answer.Task.WaitAsync(token)));
        await AddAsync(Many);
        await StartAsync();
        await EventuallyAsync(() => chain.Server.Requests.Count == 14 && _atOnce == 4 && Count(DeadLetterStatus.InProgress) > 100);

        var stopping = Worker!.StopAsync(CancellationToken.None);
        await EventuallyAsync(() => Count(DeadLetterStatus.InProgress) == 4);

        stopping.IsCompleted.ShouldBeFalse();
        Store.Letters.Where(l => l.Status is DeadLetterStatus.Pending).ShouldAllBe(
            l => l.Replays == 0 && !l.MayHaveBeenProcessed && l.DueAt == chain.Clock.GetUtcNow());
        answer.SetResult();
        await stopping;
        (Count(DeadLetterStatus.InProgress), Count(DeadLetterStatus.Replayed)).ShouldBe((0, chain.Server.Requests.Count));
    }

    [Fact]
    public async Task Claimed_letters_of_a_fast_host_that_stops_responding_are_released()
    {
        var chain = Open();
        var answer = new TaskCompletionSource();
        chain.Server.Script(
            (_, _, token) => AnswerAsync(Interlocked.Increment(ref _asked) <= 10 ? Task.CompletedTask : answer.Task.WaitAsync(token)));
        await AddAsync(Many);
        await StartAsync();
        await EventuallyAsync(() => chain.Server.Requests.Count == 14 && _atOnce == 4 && Count(DeadLetterStatus.InProgress) > 100);

        chain.Clock.Advance(TimeSpan.FromSeconds(6));
        Store.WakeUp();
        await EventuallyAsync(() => Count(DeadLetterStatus.InProgress) <= 8);

        answer.SetResult();
        Store.WakeUp();
        await EventuallyAsync(() => Count(DeadLetterStatus.Replayed) == Many);
        _mostAtOnce.ShouldBe(4);
    }

    private async Task<HttpResponseMessage> AnswerAsync(Task mayAnswer)
    {
        int atOnce = Interlocked.Increment(ref _atOnce);
        Interlocked.Increment(ref _sent);
        InterlockedMax(ref _mostAtOnce, atOnce);
        await Task.Yield();
        await mayAnswer;
        Interlocked.Decrement(ref _atOnce);
        return new(HttpStatusCode.Created);
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (int seen = most; value > seen; seen = most)
            Interlocked.CompareExchange(ref most, value, seen);
    }

    private async Task AddAsync(int count)
    {
        for (int i = 0; i < count; i++)
            await AddAsync(Letter());
    }

    private int Count(DeadLetterStatus status) => Store.Letters.Count(l => l.Status == status);
}
