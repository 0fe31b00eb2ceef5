namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>What counts against the circuit of which host.</summary>
public sealed class CountingTests
{
    private static Chain OneAttempt(int threshold = 3) => new(o =>
    {
        o.CircuitBreaker.UseClassic();
        o.CircuitBreaker.FailureThreshold = threshold;
        o.Retry.MaxRetryAttempts = 0;
    });

    [Fact]
    public async Task One_bad_host_does_not_open_the_circuit_of_another()
    {
        using var chain = OneAttempt();
        chain.Server.Script(Replies.Status(503));
        await FailAsync(chain, 3, "https://bad.test/");

        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => SendAsync(chain, "https://bad.test/other"));
        chain.Server.Script(Replies.Status(200));
        foreach (string other in (string[])["https://good.test/", "https://bad.test:8443/", "http://bad.test/", "https://sub.bad.test/"])
            (await SendAsync(chain, other)).Dispose();
        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => SendAsync(chain, "https://BAD.test:443/?q"));
    }

    [Fact]
    public async Task Clients_have_circuits_of_their_own()
    {
        using var chain = OneAttempt();
        using var other = OneAttempt();
        chain.Server.Script(Replies.Status(503));
        await FailAsync(chain, 3);

        (await other.GetAsync()).Dispose();

        other.Server.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(429), InlineData(404), InlineData(401), InlineData(409), InlineData(422), InlineData(425), InlineData(421), InlineData(501)]
    public async Task A_host_that_answers_is_well(int status)
    {
        using var chain = OneAttempt();
        chain.Server.Script(Replies.Status(status));

        await FailAsync(chain, 20);

        chain.Server.Requests.Count.ShouldBe(20);
        chain.Logs.WithId(301).ShouldBeEmpty();
    }

    [Theory, InlineData(429), InlineData(404), InlineData(200)]
    public async Task An_answer_in_between_begins_the_count_anew(int status)
    {
        using var chain = OneAttempt();
        chain.Server.Script(Replies.Status(503), Replies.Status(503), Replies.Status(status), Replies.Status(503), Replies.Status(503),
            Replies.Status(200));

        await FailAsync(chain, 6);

        chain.Server.Requests.Count.ShouldBe(6);
    }

    [Fact]
    public async Task Timeouts_resets_and_refused_connections_count()
    {
        using var chain = OneAttempt();
        chain.Server.Script(Replies.Stalls(), Replies.Reset(), Replies.ConnectionRefused());
        await Assert.ThrowsAnyAsync<TaskCanceledException>(() => chain.GetAsync());
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => chain.GetAsync());
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => chain.GetAsync());

        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync());
    }

    [Fact]
    public async Task A_caller_that_leaves_says_nothing_about_the_host()
    {
        using var chain = OneAttempt();
        chain.Server.Script(
            Replies.Status(503), Replies.Status(503), Replies.Hangs(), Replies.Hangs(), Replies.Hangs(), Replies.Status(503));
        await FailAsync(chain, 2);
        for (int i = 0; i < 3; i++)
            await CancelAsync(chain);
        chain.Logs.WithId(301).ShouldBeEmpty();

        await FailAsync(chain, 1);

        chain.Logs.WithId(301).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_programming_error_says_nothing_about_the_host()
    {
        using var chain = OneAttempt();
        chain.Server.Script(Replies.Throws(() => new InvalidOperationException("a bug")));

        for (int i = 0; i < 20; i++)
            await Assert.ThrowsAnyAsync<InvalidOperationException>(() => chain.GetAsync());
    }

    [Fact]
    public async Task Every_attempt_counts_not_every_call()
    {
        using var chain = new Chain(o =>
        {
            o.CircuitBreaker.UseClassic();
            o.CircuitBreaker.FailureThreshold = 4;
        });
        chain.Server.Script(Replies.Status(503));

        (await chain.GetAsync()).Dispose();

        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync());
        chain.Server.Requests.Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_ratio_of_failures_opens_the_circuit_when_there_is_traffic_enough()
    {
        using var chain = new Chain(o =>
        {
            (o.CircuitBreaker.FailureRatio, o.CircuitBreaker.MinimumThroughput) = (0.5, 10);
            o.Retry.MaxRetryAttempts = 0;
        });
        chain.Server.Script([.. Enumerable.Range(0, 10).Select(i => Replies.Status(i % 2 == 0 ? 200 : 500))]);

        await FailAsync(chain, 9);
        chain.Logs.WithId(301).ShouldBeEmpty();
        await FailAsync(chain, 1);

        chain.Logs.WithId(301).ShouldHaveSingleItem();
    }

    internal static async Task CancelAsync(Chain chain)
    {
        using var caller = new CancellationTokenSource();
        var sending = chain.SendAsync(true, Chain.Get(), caller.Token);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
    }

    private static Task<HttpResponseMessage> SendAsync(Chain chain, string uri) => chain.SendAsync(true, Chain.Get(uri));

    private static async Task FailAsync(Chain chain, int times, string uri = "https://api.test/")
    {
        for (int i = 0; i < times; i++)
            (await SendAsync(chain, uri)).Dispose();
    }
}
