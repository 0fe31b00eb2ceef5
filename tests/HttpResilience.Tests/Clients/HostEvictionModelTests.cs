namespace HttpResilience.Tests.Clients;

/// <summary>
/// Random sequences of calls to hosts whose circuits open and close, which pause, are isolated and are waited for: an addition evicts no
/// host before those that the rules name first.
/// </summary>
public sealed class HostEvictionModelTests
{
    private const int Sequences = 10_000;
    private const int Steps = 60;

    private static readonly CircuitPolicy Policy = CircuitBreaker.CircuitPolicies.Of(_ => { });

    [Fact]
    public void Ten_thousand_random_sequences_keep_the_rules()
    {
        int first = Random.Shared.Next(1_000_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"seeds from {first}");
        int[] evicted = new int[4];
        for (int seed = first; seed < first + Sequences; seed++)
            new Sequence(seed, evicted).Run();

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", evicted.Select((n, i) => $"{(HostStanding)i} {n}")));
        // Else the sequences did not get anywhere.
        foreach (var standing in new[] { HostStanding.Closed, HostStanding.Lapsed, HostStanding.Needed })
            evicted[(int)standing].ShouldBeGreaterThan(Sequences / 50, $"{standing}");
        evicted[(int)HostStanding.Held].ShouldBe(0);
    }

    private sealed class Sequence
    {
        private readonly HostDirectory _hosts = new();
        private readonly Random _random;
        private readonly int _seed;
        private readonly int[] _evicted;
        private readonly int _limit;
        private readonly int _names;
        private readonly int _failing;
        private HostState? _latest;
        // When a host stood otherwise for the last time, in additions above the limit: a sweep may not have found it yet.
        private readonly Dictionary<HostState, (int NotClosed, int Needed)> _last = [];
        private HostState? _busy;
        private long _now = 1_000_000;
        private int _additions;

        internal Sequence(int seed, int[] evicted)
        {
            (_seed, _evicted, _random) = (seed, evicted, new(seed));
            _limit = _random.Next(2, 10);
            _names = _random.Next(_limit, 12 * _limit);
            _failing = _random.Next(4);
            _busy = _random.Next(2) == 0 ? For("busy") : null;
        }

        internal void Run()
        {
            for (int i = 0; i < Steps; i++)
            {
                // Sometimes long enough for all breaks and pauses to pass.
                _now += _random.Next(30) == 0 ? 10_000 : _random.Next(1, 20);
                Call();
                for (int n = _random.Next(_failing + 1); n > 0; n--)
                    Happen();
                Look();
            }
        }

        private void Call()
        {
            var before = _hosts.All.ToDictionary(h => h, h => h.StandingAt(_now));
            var host = For($"host{_random.Next(_names)}");
            var after = _hosts.All.ToHashSet();
            _latest = host;

            _hosts.Count.ShouldBe(after.Count, $"seed {_seed}");
            after.ShouldContain(host, $"seed {_seed}");
            foreach (var gone in before.Keys.Except(after))
            {
                _evicted[(int)before[gone]]++;
                ShouldBeAllowed(before, gone, host);
            }

            int free = after.Count(h => h.StandingAt(_now) is not HostStanding.Held);
            free.ShouldBeLessThanOrEqualTo(2 * _limit, $"seed {_seed}");
            if (!before.ContainsKey(host) && before.Count >= _limit)
                _additions++;
            if (_busy is null)
                return;
            // It is used before each addition.
            if (!after.Contains(_busy))
                KnownAs(HostStanding.Closed, before.Count, host).ShouldBeEmpty($"seed {_seed}: used less recently");
            _busy = For("busy");
        }

        private void ShouldBeAllowed(Dictionary<HostState, HostStanding> before, HostState gone, HostState added)
        {
            before.Count.ShouldBeGreaterThanOrEqualTo(_limit, $"seed {_seed}");
            var standing = before[gone];
            if (standing is not HostStanding.Closed)
                KnownAs(HostStanding.Closed, before.Count, added).ShouldBeEmpty($"seed {_seed}: closed, and evicted after {standing}");
            if (standing is not HostStanding.Needed)
                return;
            KnownAs(HostStanding.Lapsed, before.Count, added).ShouldBeEmpty($"seed {_seed}: may be called, unlike the evicted one");
            before.Count.ShouldBeGreaterThanOrEqualTo((2 * _limit) - 1, $"seed {_seed}");
        }

        // A sweep looks at four hosts of each queue.
        private IEnumerable<HostState> KnownAs(HostStanding standing, int count, HostState added) => _hosts.All.Where(
            h => h != added && h != _busy && h.StandingAt(_now) == standing
                && _additions - (standing is HostStanding.Closed ? _last[h].NotClosed : _last[h].Needed) > (count / 4) + 2);

        private void Look()
        {
            foreach (var host in _hosts.All)
            {
                var standing = host.StandingAt(_now);
                (int notClosed, int needed) = _last.GetValueOrDefault(host, (int.MinValue / 2, int.MinValue / 2));
                _last[host] = (standing is HostStanding.Closed ? notClosed : _additions,
                    standing is HostStanding.Needed or HostStanding.Held ? _additions : needed);
            }
        }

        private void Happen()
        {
            HostState[] all = [.. _hosts.All.Where(h => h != _busy)];
            if (all.Length == 0)
                return;
            var host = _random.Next(3) > 0 ? _latest! : all[_random.Next(all.Length)];
            switch (_random.Next(8))
            {
                case 0 or 1 or 2:
                    Break(host);
                    break;
                case 3 or 4:
                    host.GetOrAddPause().Extend(_now, _now + _random.Next(2_000));
                    break;
                case 5:
                    host.Circuit.Close(_now);
                    break;
                case 6 when all.Count(h => h.StandingAt(_now) is HostStanding.Held) < 2:
                    host.Circuit.Isolate(_now);
                    break;
                case 7 when host.Places.Taken > 0:
                    host.Places.Free();
                    break;
                case 7 when all.Count(h => h.StandingAt(_now) is HostStanding.Held) < 2:
                    host.Places.TryTake(1);
                    break;
            }
        }

        private void Break(HostState host)
        {
            while (host.Circuit.State is CircuitState.Closed)
                host.Circuit.Report(Policy, host.Circuit.Enter(Policy, _now).Ticket, CircuitOutcome.Failure, _now, openAtLeast: 0, _now);
        }

        private HostState For(string name) =>
            _hosts.GetOrAdd(new(new HttpAuthority(new Uri($"https://{name}.example")), null), _limit, _now++);
    }
}
