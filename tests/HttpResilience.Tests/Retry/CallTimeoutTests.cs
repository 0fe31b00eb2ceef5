using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Retry;

/// <summary>The timeouts of a single call: <c>WithTimeout</c>, <c>WithAttemptTimeout</c>, and those of a scope.</summary>
public sealed class CallTimeoutTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static TheoryData<bool, bool> Cases => new() { { true, true }, { true, false }, { false, true }, { false, false } };

    [Theory, MemberData(nameof(Cases))]
    public async Task A_call_ends_at_its_own_deadline(bool async, bool inScope)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Stalls());

        var thrown = await Assert.ThrowsAnyAsync<TaskCanceledException>(
            () => SendAsync(chain, async, inScope, new() { Timeout = 5 * Second }));

        thrown.InnerException.ShouldBeOfType<TimeoutException>().Message.ShouldContain("the timeout of the call (00:00:05)");
        chain.Clock.Elapsed.ShouldBe(5 * Second);
        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.DeadlinePassed);
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task A_timeout_longer_than_that_of_the_client_needs_MaxTimeout(bool async, bool inScope)
    {
        using var chain = new Chain(o =>
        {
            o.MaxTimeout = TimeSpan.FromMinutes(10);
            o.Retry.MaxRetryAttempts = int.MaxValue;
        });
        chain.Server.Script(Replies.Stalls());

        await Assert.ThrowsAnyAsync<TaskCanceledException>(
            () => SendAsync(chain, async, inScope, new() { Timeout = TimeSpan.FromMinutes(5), AttemptTimeout = TimeSpan.FromMinutes(5) }));

        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromMinutes(5));
        chain.Server.Requests.Count.ShouldBe(1);
        chain.Client.Timeout.ShouldBe(TimeSpan.FromMinutes(10) + Second);
    }

    [Theory, InlineData(null, 100), InlineData(200, 200)]
    public async Task With_MaxTimeout_the_body_of_every_call_ends_at_the_deadline_of_the_call(int? timeout, int end)
    {
        using var chain = new Chain(o => o.MaxTimeout = TimeSpan.FromMinutes(10));
        chain.Server.StalledBody(200, "beg");

        await Assert.ThrowsAnyAsync<TaskCanceledException>(
            () => SendAsync(chain, true, false, timeout is { } seconds ? new() { Timeout = seconds * Second } : new()));

        chain.Clock.Elapsed.ShouldBe(end * Second);
    }

    [Theory, InlineData(null, 600, false), InlineData(null, 100, true), InlineData(10, 600, false), InlineData(10, 100, false)]
    public async Task Only_a_body_that_HttpClient_would_end_later_is_wrapped(int? max, int timeout, bool isWrapped)
    {
        using var chain = new Chain(o => (o.MaxTimeout, o.TotalRequestTimeout.Timeout) =
            (max is { } seconds ? seconds * Second : null, isWrapped ? 600 * Second : timeout * Second));
        chain.Server.Status(200, "body");
        var request = isWrapped ? Chain.Get().WithTimeout(timeout * Second) : Chain.Get();

        using var response = await chain.SendAsync(true, request, completion: HttpCompletionOption.ResponseHeadersRead);

        (response.Content is DeadlineContent).ShouldBe(isWrapped);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Beyond_the_timeout_of_the_client_nothing_is_sent_and_the_error_names_the_option(bool inScope)
    {
        using var chain = new Chain();

        var thrown = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => SendAsync(chain, true, inScope, new() { Timeout = TimeSpan.FromMinutes(2) }));

        thrown.Message.ShouldContain("MaxTimeout");
        chain.Server.Requests.ShouldBeEmpty();
        chain.Logs.Call["FailureClass"].ShouldBe("Permanent");
    }

    /// <summary>A value that the user sets wins over MaxTimeout.</summary>
    [Theory, InlineData(200, true), InlineData(300, false)]
    public async Task The_timeout_that_the_application_set_is_the_limit(int seconds, bool isAllowed)
    {
        using var chain = new Chain(o => o.MaxTimeout = TimeSpan.FromHours(1), c => c.ConfigureHttpClient(h => h.Timeout = 250 * Second));

        var thrown = await Record.ExceptionAsync(() => SendAsync(chain, true, false, new() { Timeout = seconds * Second }));

        (thrown is null).ShouldBe(isAllowed);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Without_a_timeout_of_the_client_any_is_allowed(bool isLongest)
    {
        using var chain = new Chain(o => (o.TotalRequestTimeout.Timeout, o.AttemptTimeout.Timeout) = (null, null));
        chain.Server.Script(Replies.After(TimeSpan.FromHours(1), Replies.Status(200)));
        var timeout = isLongest ? TimeSpan.MaxValue : TimeSpan.FromDays(3);

        using var response = await SendAsync(chain, true, false, new() { Timeout = timeout, AttemptTimeout = timeout });

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
    }

    [Fact]
    public async Task A_wait_that_would_end_after_it_is_not_begun()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503, ("Retry-After", "5")));

        using var response = await SendAsync(chain, true, false, new() { Timeout = 5 * Second });

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.DeadlineWouldPass);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task Each_attempt_ends_at_its_own_timeout(bool async, bool inScope)
    {
        using var chain = new Chain(o => o.Retry.MaxRetryAttempts = 1);
        chain.Server.Script(Replies.Stalls());

        var thrown = await Assert.ThrowsAnyAsync<TaskCanceledException>(
            () => SendAsync(chain, async, inScope, new() { AttemptTimeout = 3 * Second }));

        thrown.Message.ShouldContain("AttemptTimeout (00:00:03)");
        chain.Server.Requests.Select(r => r.SentAfter.TotalSeconds).ShouldBe([0, 4]);
        chain.Clock.Elapsed.ShouldBe(7 * Second);
    }

    [Fact]
    public async Task The_request_wins_over_the_scope_and_the_inner_scope_over_the_outer()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Stalls());
        using var outer = HttpCallScope.Begin(new() { Timeout = 9 * Second, AttemptTimeout = 2 * Second });
        using var inner = HttpCallScope.Begin(new() { Timeout = 8 * Second });

        await Assert.ThrowsAnyAsync<TaskCanceledException>(
            () => chain.SendAsync(true, Chain.Get().WithTimeout(1.5 * Second)));
        chain.Clock.Elapsed.ShouldBe(1.5 * Second);
        await Assert.ThrowsAnyAsync<TaskCanceledException>(() => chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0)));

        chain.Clock.Elapsed.ShouldBe(3.5 * Second);
    }

    [Fact]
    public async Task An_attempt_that_may_last_longer_than_its_call_is_refused_where_both_are_said()
    {
        var options = new HttpCallScopeOptions { Timeout = 2 * Second, AttemptTimeout = 2.5 * Second };

        var thrown = Should.Throw<ArgumentException>(() => HttpCallScope.Begin(options));
        thrown.ParamName.ShouldBe("options");
        thrown.Message.ShouldStartWith("The timeout of an attempt, 00:00:02.5000000, must not be longer than that of the call, 00:00:02. ");
        Should.Throw<ArgumentException>(() => Chain.Get().WithTimeout(2 * Second).WithAttemptTimeout(2.5 * Second)).ParamName
            .ShouldBe("timeout");
        Should.Throw<ArgumentException>(() => Chain.Get().WithAttemptTimeout(2.5 * Second).WithTimeout(2 * Second)).ParamName
            .ShouldBe("timeout");
        Chain.Get().WithTimeout(2 * Second).WithAttemptTimeout(2 * Second).ShouldNotBeNull();
        var report = await IsolatedBatch.RunAsync(
            [1], (_, _) => Task.CompletedTask, new BatchOptions<int> { Scope = (_, _) => options }, TestContext.Current.CancellationToken);
        report.Failures.ShouldHaveSingleItem().Error.ShouldNotBeNull().ShouldContain("The timeout of an attempt");
    }

    [Fact]
    public async Task Said_in_two_places_the_shorter_of_call_and_attempt_ends_it()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Stalls());
        using var scope = HttpCallScope.Begin(new() { AttemptTimeout = 9 * Second });

        await Assert.ThrowsAnyAsync<TaskCanceledException>(() => chain.SendAsync(true, Chain.Get().WithTimeout(2 * Second)));

        chain.Clock.Elapsed.ShouldBe(2 * Second);
    }

    [Theory, InlineData(0), InlineData(-1)]
    public void Zero_and_less_are_refused(int milliseconds)
    {
        var timeout = TimeSpan.FromMilliseconds(milliseconds);

        Should.Throw<ArgumentOutOfRangeException>(() => Chain.Get().WithTimeout(timeout)).ParamName.ShouldBe("timeout");
        Should.Throw<ArgumentOutOfRangeException>(() => Chain.Get().WithAttemptTimeout(timeout)).ParamName.ShouldBe("timeout");
        Should.Throw<ArgumentOutOfRangeException>(() => new HttpCallScopeOptions { Timeout = timeout });
        Should.Throw<ArgumentOutOfRangeException>(() => new HttpCallScopeOptions { AttemptTimeout = timeout });
    }

    [Theory]
    [InlineData("00:00:20", null, 21), InlineData("00:00:20", "00:01:00", 61), InlineData("00:00:20", "00:00:05", 21)]
    public void The_timeout_of_the_client_is_a_second_behind_the_longest_deadline(string total, string? max, int seconds)
    {
        using var chain = new Chain(settings: new Dictionary<string, string?>
        {
            ["TotalRequestTimeout:Timeout"] = total,
            ["AttemptTimeout:Timeout"] = "00:00:01",
            ["MaxTimeout"] = max,
        });

        chain.Client.Timeout.ShouldBe(seconds * Second);
    }

    [Theory]
    [InlineData(true, HttpCompletionOption.ResponseContentRead), InlineData(false, HttpCompletionOption.ResponseContentRead)]
    [InlineData(true, HttpCompletionOption.ResponseHeadersRead), InlineData(false, HttpCompletionOption.ResponseHeadersRead)]
    public async Task A_body_that_stalls_ends_at_the_deadline_of_the_call(bool async, HttpCompletionOption completion)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Content(200, () => new Stalling(chain.Clock)));

        var thrown = await Assert.ThrowsAnyAsync<TaskCanceledException>(async () =>
        {
            using var response = await chain.SendAsync(async, Chain.Get().WithTimeout(5 * Second), completion: completion);
            using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            if (async)
                await stream.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
            else
                await Task.Run(() => stream.CopyTo(Stream.Null), TestContext.Current.CancellationToken);
        });

        thrown.InnerException.ShouldBeOfType<TimeoutException>().Message.ShouldContain("the timeout of the call (00:00:05)");
        thrown.GetHttpCall().ShouldNotBeNull();
        chain.Clock.Elapsed.ShouldBe(5 * Second);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_body_that_arrives_in_time_is_whole(bool async)
    {
        using var chain = new Chain();
        byte[] body = new byte[100_000];
        Random.Shared.NextBytes(body);
        chain.Server.Script(Replies.Content(200, () => new StreamContent(new MemoryStream(body))));

        using var response = await chain.SendAsync(async, Chain.Get().WithTimeout(5 * Second));

        (await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).ShouldBe(body);
        response.Content.Headers.ContentLength.ShouldBe(body.Length);
    }

    [Theory, InlineData(null), InlineData(100), InlineData(101)]
    public async Task A_body_is_wrapped_only_when_the_call_ends_before_its_client(int? seconds)
    {
        using var chain = new Chain();
        var content = new ByteArrayContent(new byte[1]);
        chain.Server.Script(Replies.Content(200, () => content));
        var request = seconds is { } own ? Chain.Get().WithTimeout(own * Second) : Chain.Get();

        using var response = await chain.SendAsync(true, request);

        response.Content.ShouldBeSameAs(content);
    }

    private static async Task<HttpResponseMessage> SendAsync(Chain chain, bool async, bool inScope, HttpCallScopeOptions options)
    {
        if (inScope)
        {
            using var scope = HttpCallScope.Begin(options);
            return await chain.SendAsync(async, Chain.Get());
        }

        var request = Chain.Get();
        if (options.Timeout is { } timeout)
            request.WithTimeout(timeout);
        if (options.AttemptTimeout is { } attemptTimeout)
            request.WithAttemptTimeout(attemptTimeout);
        return await chain.SendAsync(async, request);
    }

    /// <summary>A body whose rest does not arrive: time passes until its reader gives up.</summary>
    private sealed class Stalling(ManualTimeProvider clock) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) =>
            throw new NotSupportedException();

        protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(new Stalled(clock));

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class Stalled(ManualTimeProvider clock) : MemoryStream
    {
        private bool _hasBegun;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!_hasBegun)
            {
                _hasBegun = true;
                return 1;
            }

            await Task.Yield();
            while (!cancellationToken.IsCancellationRequested)
                clock.AdvanceToNextTimer();
            throw new OperationCanceledException(cancellationToken);
        }
    }
}
