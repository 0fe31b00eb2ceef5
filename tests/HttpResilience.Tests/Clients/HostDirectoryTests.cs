using HttpResilience.Tests.CircuitBreaker;

namespace HttpResilience.Tests.Clients;

/// <summary>What is remembered of each host, and not of too many of them.</summary>
public sealed class HostDirectoryTests
{
    private const int Limit = 100;

    private static readonly CircuitPolicy Policy = CircuitPolicies.Of(_ => { });

    private readonly HostDirectory _hosts = new();
    private long _now = 1_000_000;

    [Theory]
    [InlineData("https://a.example/v1", "https://a.example/v2?x=1#y")]
    [InlineData("https://a.example", "https://a.example:443/")]
    [InlineData("http://a.example", "http://a.example:80/")]
    [InlineData("https://A.Example", "HTTPS://a.example")]
    [InlineData("https://user:secret@a.example", "https://a.example")]
    public void The_same_authority_is_one_host(string one, string other)
    {
        For(one).ShouldBeSameAs(For(other));
        _hosts.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("https://a.example", "http://a.example")]
    [InlineData("https://a.example", "https://a.example:8443")]
    [InlineData("https://a.example", "https://b.example")]
    public void Each_authority_has_a_state_of_its_own(string one, string other)
    {
        For(one).ShouldNotBeSameAs(For(other));
        _hosts.Count.ShouldBe(2);
    }

    [Fact]
    public void A_bad_host_does_not_open_the_circuit_of_another()
    {
        Break(For("https://bad.example"));

        For("https://bad.example").Circuit.Enter(Policy, _now).IsAllowed.ShouldBeFalse();
        For("https://bad.example:8443").Circuit.Enter(Policy, _now).IsAllowed.ShouldBeTrue();
        For("http://bad.example").Circuit.Enter(Policy, _now).IsAllowed.ShouldBeTrue();
        For("https://good.example").Circuit.Enter(Policy, _now).IsAllowed.ShouldBeTrue();
    }

    [Fact]
    public void A_thousand_hosts_stay_within_the_limit()
    {
        for (int i = 0; i < 1_000; i++)
        {
            Use($"https://host{i}.example");
            _hosts.Count.ShouldBeLessThanOrEqualTo(Limit);
        }

        _hosts.Count.ShouldBe(Limit);
    }

    [Fact]
    public void A_limit_of_one_keeps_the_newest()
    {
        for (int i = 0; i < 10; i++)
        {
            _now++;
            var host = For($"https://host{i}.example", limit: 1);
            _hosts.Count.ShouldBe(1);
            For($"https://host{i}.example", limit: 1).ShouldBeSameAs(host);
        }
    }

    [Fact]
    public void The_least_recently_used_go_first()
    {
        var all = Enumerable.Range(0, Limit).Select(i => Use($"https://host{i}.example")).ToArray();
        // The oldest ones are used once more, so that age alone is not what counts.
        for (int i = 0; i < 10; i++)
            Use($"https://host{i}.example");

        for (int i = 0; i < 20; i++)
            Use($"https://new{i}.example");

        _hosts.All.ShouldBe(
            [.. all[..10], .. all[30..], .. _hosts.All.Where(h => h.Key.Authority.Host.StartsWith("new", StringComparison.Ordinal))],
            ignoreOrder: true);
        _hosts.Count.ShouldBe(Limit);
    }

    [Fact]
    public void A_host_that_is_used_all_the_time_stays_however_many_others_come_once()
    {
        var busy = Use("https://busy.example");
        for (int i = 0; i < 100 * Limit; i++)
        {
            Use($"https://host{i}.example");
            Use("https://busy.example").ShouldBeSameAs(busy);
        }
    }

    [Fact]
    public void Hosts_that_have_recovered_are_evicted_as_others_are()
    {
        HostState[] paused = [.. Enumerable.Range(0, Limit + Limit / 2).Select(i =>
        {
            var host = Use($"https://paused{i}.example");
            Pause(host, until: 1_010_000);
            return host;
        })];
        var closed = Enumerable.Range(0, Limit).Select(i => Use($"https://first{i}.example")).ToArray();
        _hosts.All.ShouldBe([.. paused, closed[^1]], ignoreOrder: true);

        _now = 1_010_000;
        var later = Enumerable.Range(0, 4 * Limit).Select(i => Use($"https://second{i}.example")).ToArray();

        _hosts.All.ShouldBe(later[^Limit..], ignoreOrder: true);
    }

    [Fact]
    public void A_lower_limit_is_reached_within_some_additions()
    {
        for (int i = 0; i < 10 * Limit; i++)
            For($"https://host{i}.example", limit: 10 * Limit);

        for (int i = 0; i < Limit; i++)
            Use($"https://new{i}.example");

        _hosts.Count.ShouldBe(Limit);
    }

    [Fact]
    public void An_open_one_is_never_forgotten()
    {
        var bad = Use("https://bad.example");
        Break(bad);
        for (int i = 0; i < 1_000; i++)
            Use($"https://host{i}.example");

        For("https://bad.example").ShouldBeSameAs(bad);
        bad.Circuit.Enter(Policy, _now).IsAllowed.ShouldBeFalse();
    }

    [Fact]
    public void Open_ones_stay_even_above_the_limit()
    {
        HostState[] bad = [.. Enumerable.Range(0, Limit + 50).Select(i => Break(Use($"https://bad{i}.example")))];

        _hosts.Count.ShouldBe(Limit + 50);
        for (int i = 0; i < bad.Length; i++)
            For($"https://bad{i}.example").ShouldBeSameAs(bad[i]);
    }

    [Fact]
    public void Of_many_failing_hosts_as_many_again_stay_the_oldest_go_first_and_isolated_ones_never()
    {
        var isolated = Use("https://isolated.example");
        isolated.Circuit.Isolate(_now);
        HostState[] bad = [.. Enumerable.Range(0, 20 * Limit).Select(i =>
        {
            var host = Break(Use($"https://bad{i}.example"));
            _hosts.Count.ShouldBeLessThanOrEqualTo(2 * Limit);
            return host;
        })];

        For("https://isolated.example").ShouldBeSameAs(isolated);
        for (int i = bad.Length - Limit; i < bad.Length; i++)
            For($"https://bad{i}.example").ShouldBeSameAs(bad[i]);
        _hosts.All.ShouldNotContain(bad[0]);
    }

    [Fact]
    public void A_host_whose_break_has_passed_unprobed_is_evicted_after_all_closed_ones()
    {
        var bad = Break(Use("https://bad.example"));
        _now = bad.Circuit.OpenUntil;
        for (int i = 0; i < 1_000; i++)
            Use($"https://host{i}.example");
        For("https://bad.example").ShouldBeSameAs(bad);

        // When there is nothing else to forget it goes too, so that hosts that are gone for good do not stay for good.
        for (int i = 0; i < Limit; i++)
        {
            _now++;
            For($"https://last{i}.example", limit: 1);
        }

        _hosts.Count.ShouldBe(1);
        For("https://bad.example").ShouldNotBeSameAs(bad);
    }

    [Fact]
    public void Many_threads_agree_on_the_hosts_and_keep_the_limit()
    {
        var seen = new HostState[4, Limit / 2];
        using var start = new Barrier(4);
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(t => new Thread(() =>
        {
            start.SignalAndWait();
            for (int i = 0; i < Limit / 2; i++)
                seen[t, i] = For($"https://host{i}.example");
            start.SignalAndWait();
            for (int i = 0; i < 2_000; i++)
                For($"https://host{t}-{i}.example").Circuit.Enter(Policy, _now);
        }))];
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();

        for (int i = 0; i < Limit / 2; i++)
            Enumerable.Range(0, 4).Select(t => seen[t, i]).Distinct().ShouldHaveSingleItem();
        _hosts.Count.ShouldBeInRange(1, Limit);
    }

    [Fact]
    public void Threads_that_add_hosts_while_others_fail_and_recover_lose_none_and_keep_the_limits()
    {
        int seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var isolated = For("https://isolated.example");
        isolated.Circuit.Isolate(_now);
        long now = _now;
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(t => new Thread(() =>
        {
            var random = new Random(seed + t);
            for (int i = 0; i < 5_000; i++)
            {
                long at = Interlocked.Increment(ref now);
                var host = _hosts.GetOrAdd(new(new HttpAuthority(new Uri($"https://host{random.Next(1_000)}.example")), null), Limit, at);
                if (random.Next(2) == 0)
                    Pause(host, at + random.Next(300));
                if (random.Next(20) == 0)
                    host.Circuit.Isolate(at);
                else
                    host.Circuit.Close(at);
            }
        }))];
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();

        _hosts.All.Distinct().Count().ShouldBe(_hosts.Count);
        _hosts.All.ShouldContain(isolated);
        _hosts.All.Count(h => h.StandingAt(now) is not HostStanding.Held).ShouldBeLessThanOrEqualTo(2 * Limit);

        // Each is still known to the eviction: when all may go, all but the isolated ones go.
        HostState[] held = [.. _hosts.All.Where(h => h.StandingAt(now) is HostStanding.Held)];
        _now = now + 1_000_000;
        var last = Enumerable.Range(0, 20 * Limit).Select(i => Use($"https://last{i}.example")).ToArray();
        _hosts.All.ShouldBe([.. held, .. last[^(Limit - held.Length)..]], ignoreOrder: true);
    }

    private HostState For(string uri, int limit = Limit) => _hosts.GetOrAdd(new(new HttpAuthority(new Uri(uri)), null), limit, _now);

    private HostState Use(string uri)
    {
        _now++;
        return For(uri);
    }

    [Fact]
    public void A_host_is_kept_while_a_call_waits_for_its_circuit_or_for_that_of_a_tenant()
    {
        var host = For("https://waits.example");
        host.Places.TryTake(1).ShouldBeTrue();
        UseManyOthers("first");
        For("https://waits.example").ShouldBeSameAs(host);

        host.Places.Free();
        UseManyOthers("second");
        For("https://waits.example").ShouldNotBeSameAs(host);
    }

    private void UseManyOthers(string name)
    {
        for (int i = 0; i < 10 * Limit; i++)
        {
            _now++;
            Use($"https://{name}{i}.example");
        }
    }

    private static void Pause(HostState host, long until) => host.GetOrAddPause().Extend(now: 0, until);

    private HostState Break(HostState host)
    {
        while (host.Circuit.State is CircuitState.Closed)
            host.Circuit.Report(Policy, host.Circuit.Enter(Policy, _now).Ticket, CircuitOutcome.Failure, _now, openAtLeast: 0, _now);
        return host;
    }
}
