namespace HttpResilience.Tests.Clients;

/// <summary>
/// Random sequences of attempts that ask for a place, wait, leave and end in every way, of reloads, and of a clock that also jumps back:
/// the limit stays within its bounds, a place is given only below it, in the order of arrival and at once, and none is lost.
/// </summary>
public sealed class ConcurrencyGateModelTests
{
    private const int Sequences = 10_000;
    private const int Steps = 400;

    [Fact]
    public void Ten_thousand_random_sequences_lose_no_place_and_keep_the_order()
    {
        int first = Random.Shared.Next(1_000_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"seeds from {first}");
        var seen = new Seen();
        for (int seed = first; seed < first + Sequences; seed++)
            new Sequence(seed, seen).Run();

        TestContext.Current.TestOutputHelper?.WriteLine($"{seen}");
        // Else the sequences did not get anywhere.
        int[] counts = [seen.AtOnce, seen.Admitted, seen.Rejected, seen.Left, seen.LeftWithPlace, seen.Fallen, seen.Grown];
        foreach (int count in counts)
            count.ShouldBeGreaterThan(Sequences / 50, $"{seen}");
    }

    private sealed record Seen
    {
        internal int AtOnce, Admitted, Rejected, Left, LeftWithPlace, Fallen, Grown;

        public override string ToString() =>
            $"{AtOnce} at once, {Admitted} admitted, {Rejected} rejected, {Left} left, {LeftWithPlace} left with a place, "
            + $"{Fallen} times the limit fell, {Grown} times it grew";
    }

    private sealed class JumpyClock : TimeProvider
    {
        internal long Now { get; set; } = 1_000_000;

        public override long TimestampFrequency => 1_000;

        public override long GetTimestamp() => Now;
    }

    private sealed class Sequence(int seed, Seen seen)
    {
        private readonly Random _random = new(seed);
        private readonly JumpyClock _clock = new();
        private readonly List<ConcurrencyWaiter> _waiting = [];
        // Attempts with a place: its number.
        private readonly List<int> _running = [];
        private ConcurrencyPolicy _policy = new(1, 5, 1_000);
        private ConcurrencyGate _gate = null!;
        private int _busy;

        internal void Run()
        {
            _gate = new(_clock);
            _busy = _random.Next(20, 80);
            for (int step = 0; step < Steps; step++)
                Step();

            // Everything ends: each one that waits has its turn.
            while (_running.Count > 0)
                End();
            Require((_gate.Waiting, _gate.InFlight, _waiting.Count) == (0, 0, 0), "something is left");
        }

        private void Step()
        {
            int what = _random.Next(100);
            if (what < _busy)
                Enter();
            else if (what < 85 || _waiting.Count == 0)
                End();
            else if (what < 95)
                Leave();
            else
                Change();
        }

        private void Enter()
        {
            int inFlight = _running.Count, waiting = _waiting.Count, limit = _gate.Limit;
            var turn = _gate.Enter(_policy, _clock.Now + _random.Next(-20, 2_000));
            if (turn.Waiter is { } joined)
            {
                Require(!joined.Turn.IsCompleted, "has a turn at once");
                _waiting.Add(joined);
            }

            // A reload before it may have raised the limit.
            Admit(ref inFlight);
            if (turn.Number != 0)
            {
                Require(inFlight < _gate.Limit && _waiting.Count == 0, "admitted above the limit, or before others");
                _running.Add(turn.Number);
                seen.AtOnce++;
            }
            else if (turn.IsRejected)
            {
                Require(inFlight >= _gate.Limit || waiting > 0, "rejected with a place free");
                seen.Rejected++;
            }

            Check(limit);
        }

        private void End()
        {
            if (_running.Count == 0)
                return;
            int limit = _gate.Limit, place = _random.Next(_running.Count);
            int number = _running[place];
            _running.RemoveAt(place);
            var sign = _random.Next(seed % 3 == 0 ? 12 : 60) switch
            {
                0 => LoadSign.Overloaded,
                1 => LoadSign.None,
                _ => LoadSign.Answered,
            };
            long latency = _random.Next(50) switch
            {
                0 => 0,
                1 => -1_000,
                2 => long.MaxValue,
                3 => long.MinValue,
                _ => _random.Next(20, 120) * (seed % 3 + 1),
            };
            _gate.Exit(_policy, number, latency, sign);
            int inFlight = _running.Count;
            Admit(ref inFlight);
            Check(limit);
        }

        private void Leave()
        {
            int limit = _gate.Limit;
            var waiter = _waiting[_random.Next(_waiting.Count)];
            _waiting.Remove(waiter);
            seen.Left++;
            _gate.Leave(_policy, waiter);
            int inFlight = _running.Count;
            Admit(ref inFlight);
            Check(limit);
            Require(!waiter.Turn.IsCompleted, "has a turn that has left");
        }

        private void Change()
        {
            if (_random.Next(2) == 0)
                _clock.Now += _random.Next(-2_000, 2_000);
            else
                _policy = new(_random.Next(1, 4), _random.Next(4, 30), 1_000);
        }

        // Those whose turn has come are the first of those that wait.
        private void Admit(ref int inFlight)
        {
            while (_waiting.Count > 0 && _waiting[0].Turn.IsCompleted)
            {
                Require(inFlight < _gate.Limit, "admitted above the limit");
                inFlight++;
                var admitted = _waiting[0];
                _waiting.RemoveAt(0);
                // Its caller cancels just then.
                if (_random.Next(10) == 0)
                {
                    seen.LeftWithPlace++;
                    _gate.Leave(_policy, admitted);
                    inFlight--;
                    continue;
                }

                Require(admitted.Number > 0, "has no number");
                _running.Add(admitted.Number);
                seen.Admitted++;
            }

            Require(_waiting.TrueForAll(w => !w.Turn.IsCompleted), "not in the order of arrival");
        }

        private void Require(bool holds, string otherwise)
        {
            if (!holds)
                throw new InvalidOperationException($"seed {seed}: {otherwise}");
        }

        private void Check(int limitBefore)
        {
            int limit = _gate.Limit;
            Require(limit >= _policy.MinLimit && limit <= _policy.MaxLimit, "the limit is out of its bounds");
            Require((_gate.InFlight, _gate.Waiting) == (_running.Count, _waiting.Count), "the counts are wrong");
            Require(_waiting.Count == 0 || _running.Count >= limit, "a place is free, and attempts wait");
            seen.Fallen += limit < limitBefore ? 1 : 0;
            seen.Grown += limit > limitBefore ? 1 : 0;
        }
    }
}
