namespace HttpResilience.Tests.Time;

/// <summary>A lease of 30 s that is renewed every 10 s.</summary>
public sealed class LeaseTests
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider _clock = new();
    private readonly List<Exception?> _lost = [];
    private readonly List<double> _renewedAt = [];
    private readonly DateTimeOffset _start;

    public LeaseTests() => _start = _clock.GetUtcNow();

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_lease_is_renewed_outside_the_call_that_took_it(bool hasSuppressedFlow)
    {
        var local = new AsyncLocal<string?> { Value = "caller" };
        var renewed = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        Lease lease;

        using (hasSuppressedFlow ? ExecutionContext.SuppressFlow() : default(IDisposable))
            lease = new(DateTimeOffset.MaxValue, TimeSpan.FromMilliseconds(1), TimeProvider.System, RenewAsync, _ => { });

        local.Value.ShouldBe("caller");
        (await renewed.Task).ShouldBeNull();
        await lease.DisposeAsync();

        Task<bool> RenewAsync()
        {
            renewed.TrySetResult(local.Value);
            return Task.FromResult(true);
        }
    }

    [Fact]
    public async Task A_lease_is_renewed_after_each_interval_until_it_is_disposed()
    {
        await using (Renewed(_ => Task.FromResult(true)))
            Pass(35);
        Pass(60);
        _renewedAt.ShouldBe([10, 20, 30]);
        _lost.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_lease_that_another_owner_has_taken_over_is_lost_and_not_renewed_again()
    {
        await using var lease = Renewed(n => Task.FromResult(n == 1));
        Pass(60);
        _renewedAt.ShouldBe([10, 20]);
        _lost.ShouldBe([null]);
    }

    [Fact]
    public async Task A_renewal_that_fails_is_tried_again_until_the_lease_has_ended()
    {
        var failure = new IOException("gone");
        // Renewed at 10 s, so that it ends at 40 s.
        await using var lease = Renewed(n => n == 1 ? Task.FromResult(true) : throw failure);
        Pass(39);
        _lost.ShouldBeEmpty();
        Pass(60);
        _renewedAt.ShouldBe([10, 20, 30, 40]);
        _lost.ShouldBe([failure]);
    }

    [Fact]
    public async Task A_lease_that_was_never_renewed_is_lost_at_its_first_end()
    {
        await using var lease = Renewed(_ => Task.FromException<bool>(new IOException("gone")));
        Pass(29);
        _lost.ShouldBeEmpty();
        Pass(1);
        _lost.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_lease_without_an_end_outlives_every_failure()
    {
        await using var lease = new Lease(DateTimeOffset.MaxValue, RenewEvery, _clock, () => throw new IOException("gone"), _lost.Add);
        Pass(3600);
        _lost.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_slow_renewal_has_no_other_beside_it()
    {
        var slow = new TaskCompletionSource<bool>();
        await using var lease = Renewed(n => n == 1 ? slow.Task : Task.FromResult(true));
        Pass(35);
        _renewedAt.ShouldBe([10]);
        slow.SetResult(true);
        Pass(5);
        _renewedAt.ShouldBe([10, 40]);
    }

    [Fact]
    public async Task A_renewal_that_has_begun_ends_before_the_lease_is_disposed()
    {
        var slow = new TaskCompletionSource<bool>();
        var lease = Renewed(_ => slow.Task);
        Pass(10);
        var ending = lease.DisposeAsync().AsTask();
        Pass(60);
        ending.IsCompleted.ShouldBeFalse();
        slow.SetResult(true);
        await ending;
        _renewedAt.ShouldBe([10]);
    }

    private Lease Renewed(Func<int, Task<bool>> renew)
    {
        Lease lease = null!;
        lease = new(_start + Length, RenewEvery, _clock, async () =>
        {
            _renewedAt.Add((_clock.GetUtcNow() - _start).TotalSeconds);
            if (!await renew(_renewedAt.Count))
                return false;
            lease.Until = _clock.GetUtcNow() + Length;
            return true;
        }, _lost.Add);
        return lease;
    }

    private void Pass(int seconds)
    {
        for (int i = 0; i < seconds; i++)
            _clock.Advance(TimeSpan.FromSeconds(1));
    }
}
