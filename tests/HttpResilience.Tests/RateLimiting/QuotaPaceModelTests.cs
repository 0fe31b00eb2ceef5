using System.Globalization;

namespace HttpResilience.Tests.RateLimiting;

/// <summary>Generated calls to naive APIs, each with a limit, latencies and callers: none is rejected, and the quota is used.</summary>
public sealed class QuotaPaceModelTests(ITestOutputHelper output)
{
    private const int Sequences = 10_000;

    [Fact]
    public void Nothing_is_rejected_and_nearly_all_of_the_quota_is_used()
    {
        int seed = Environment.GetEnvironmentVariable("QUOTA_SEED") is { } text
            ? int.Parse(text, CultureInfo.InvariantCulture) : Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        double least = 1;
        for (int i = 0; i < Sequences; i++)
        {
            var model = new NaiveApi(new Random(unchecked(seed + i)));
            model.Run();
            string text2 = $"seed {seed}, sequence {i}: {model}";
            model.Rejected.ShouldBe(0, text2);
            model.Used.ShouldBeGreaterThanOrEqualTo(0.9, text2);
            least = Math.Min(least, model.Used);
        }

        output.WriteLine($"{Sequences} sequences, at least {least:P1} of the quota used");
    }
}

/// <summary>An API that counts each request when it arrives, and a client with as many calls as it can make.</summary>
file sealed class NaiveApi
{
    private readonly Random _random;
    private readonly QuotaKind _kind;
    private readonly int _limit;
    private readonly long _length;
    private readonly int _callers;
    private readonly int _latency;
    private readonly long _end;
    private readonly HostQuotas _quotas = new();
    private readonly PriorityQueue<Action<long>, (long, int)> _events = new();
    private readonly Queue<long> _rolling = [];
    private readonly QuotaRoute _route = new("GET", "/a");
    private double _bucket;
    private long _at;
    private long _window;
    private int _inWindow;
    private int _number;
    private int _granted;

    internal NaiveApi(Random random)
    {
        _random = random;
        _kind = (QuotaKind)random.Next(3);
        _limit = random.Next(20, 400);
        _length = random.Next(5_000, 60_000);
        _callers = random.Next(1, Math.Max(2, _limit / 8));
        // The calls at once take no longer than a part of the window.
        _latency = random.Next(1, (int)(_length / 40));
        _bucket = _limit;
        _end = 3 * _length;
    }

    internal int Rejected { get; private set; }

    /// <summary>Of what the client could have used: it has little more than a call each latency for each caller.</summary>
    internal double Used
    {
        get
        {
            double allowed = _kind is QuotaKind.Refill ? _limit * 4 : _limit * 3;
            // The last calls have not arrived when it ends.
            return Math.Min(1, (_granted + 2.0 * _callers) / Math.Min(allowed, (double)_end * _callers / (2 * _latency) / 2));
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{_kind}, {_limit} in {_length} ms, {_callers} callers, latency up to {_latency} ms: {_granted} granted, {Rejected} rejected");

    internal void Run()
    {
        for (int i = 0; i < _callers; i++)
            At(0, Call);
        while (_events.TryDequeue(out var action, out var due) && due.Item1 < _end)
            action(due.Item1);
    }

    private void Call(long now)
    {
        var turn = new QuotaTurn(_quotas, null);
        long start = _quotas.Reserve(turn, _route, now, long.MaxValue, 10);
        At(start, at => Start(turn, at));
    }

    private void Start(QuotaTurn turn, long now)
    {
        if (!_quotas.TryStart(turn, now))
        {
            At(_quotas.Reserve(turn, _route, now, long.MaxValue, 10), at => Start(turn, at));
            return;
        }

        At(now + _random.Next(1, _latency + 1), arrived =>
        {
            var report = Answer(arrived);
            At(arrived + _random.Next(1, _latency + 1), answered =>
            {
                _quotas.End(turn, _route, [report], time => (long)time.TotalMilliseconds, answered, 10);
                At(answered, Call);
            });
        });
    }

    private QuotaReport Answer(long now)
    {
        double left = Left(now);
        if (left < 1)
        {
            Rejected++;
        }
        else
        {
            _granted++;
            _inWindow++;
            _bucket--;
            _rolling.Enqueue(now);
            left--;
        }

        return new("q", (decimal)Math.Floor(left))
        {
            Kind = _kind,
            Limit = _limit,
            Window = TimeSpan.FromMilliseconds(_length),
            Reset = _kind is QuotaKind.Window ? TimeSpan.FromMilliseconds((now / _length + 1) * _length - now) : null,
        };
    }

    private double Left(long now)
    {
        if (_window != now / _length)
            (_window, _inWindow) = (now / _length, 0);
        (_bucket, _at) = (Math.Min(_limit, _bucket + (now - _at) * (double)_limit / _length), now);
        while (_rolling.TryPeek(out long first) && first + _length <= now)
            _rolling.Dequeue();
        return _kind switch
        {
            QuotaKind.Window => _limit - _inWindow,
            QuotaKind.Refill => _bucket,
            _ => _limit - _rolling.Count,
        };
    }

    private void At(long due, Action<long> action) => _events.Enqueue(action, (due, _number++));
}
