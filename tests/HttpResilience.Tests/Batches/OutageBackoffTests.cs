namespace HttpResilience.Tests.Batches;

/// <summary>How long a record waits for a host that rejects calls.</summary>
public sealed class OutageBackoffTests
{
    private const string Host = "https://api.test";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider _clock = new();
    private readonly OutageBackoff _backoff;

    public OutageBackoffTests() => _backoff = new(Limit, _clock);

    [Theory, InlineData(3.0, 3.0), InlineData(null, 1.0), InlineData(0.05, 0.1), InlineData(0.1, 0.1), InlineData(10.0, 10.0)]
    public void A_record_waits_as_long_as_the_host_asks_and_at_least_a_tenth_of_a_second(double? asked, double expected) =>
        WaitFor(asked).ShouldBe(TimeSpan.FromSeconds(expected));

    [Fact]
    public void A_record_does_not_wait_beyond_the_timeout_since_the_first_rejection()
    {
        WaitFor(10.1).ShouldBeNull();
        _clock.Advance(TimeSpan.FromSeconds(8));

        WaitFor(2).ShouldBe(TimeSpan.FromSeconds(2));
        WaitFor(2.1).ShouldBeNull();
        WaitFor(2.1, "https://other.test").ShouldBe(TimeSpan.FromSeconds(2.1));
    }

    [Fact]
    public void A_record_that_reached_the_host_starts_the_timeout_again()
    {
        WaitFor(1);
        WaitFor(1, "https://other.test");
        _clock.Advance(TimeSpan.FromSeconds(9.5));
        WaitFor(1).ShouldBeNull();

        _backoff.Passed(CallsTo(Host + "/invoices"));

        WaitFor(1).ShouldBe(TimeSpan.FromSeconds(1));
        WaitFor(1, "https://other.test").ShouldBeNull();
    }

    [Fact]
    public void A_record_that_reached_a_host_before_any_rejection_changes_nothing()
    {
        _backoff.Passed(CallsTo(Host + "/invoices"));

        WaitFor(1).ShouldBe(TimeSpan.FromSeconds(1));
    }

    private static CallCollector CallsTo(string uri)
    {
        using var chain = new Chain();
        using var request = Chain.Get(uri);
        var call = HttpCall.Open(request, chain.State);
        chain.State.Hosts.FindFor(call, request.Method, request.RequestUri);
        var calls = new CallCollector();
        calls.Add(call, HttpMethod.Get, observers: null);
        return calls;
    }

    private TimeSpan? WaitFor(double? seconds, string authority = Host)
    {
        var rejection = new BatchRejection(authority, seconds is { } asked ? TimeSpan.FromSeconds(asked) : null);
        return _backoff.MayWait(rejection) is { } until ? _clock.GetElapsedTime(_clock.GetTimestamp(), until) : null;
    }
}
