namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>Counting over ten parts of a duration without a lock.</summary>
public sealed class FailureWindowTests
{
    private const long Part = 100;

    private FailureWindow _window;

    [Fact]
    public void An_empty_window_has_nothing()
    {
        _window.Sum(0, Part).ShouldBe((0, 0));
        _window.Sum(123_456_789, Part).ShouldBe((0, 0));
    }

    [Fact]
    public void The_window_counts_attempts_and_failures()
    {
        Add(now: 5_000, successes: 7, failures: 3);
        Add(now: 5_099, successes: 1, failures: 0);

        _window.Sum(5_099, Part).ShouldBe((11, 3));
    }

    [Fact]
    public void The_window_counts_from_the_first_timestamp()
    {
        Add(now: 0, successes: 1, failures: 1);

        _window.Sum(0, Part).ShouldBe((2, 1));
        _window.Sum(999, Part).ShouldBe((2, 1));
        _window.Sum(1000, Part).ShouldBe((0, 0));
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(99, 2)]
    [InlineData(500, 2)]
    [InlineData(999, 2)]
    [InlineData(1_000, 0)]
    [InlineData(1_099, 0)]
    [InlineData(10_000, 0)]
    public void A_part_is_forgotten_as_a_whole_when_ten_parts_have_passed(long later, long attempts)
    {
        Add(now: 5_000, successes: 1, failures: 1);

        _window.Sum(5_000 + later, Part).Attempts.ShouldBe(attempts);
    }

    [Fact]
    public void The_window_slides_by_one_part_at_a_time()
    {
        for (int part = 0; part < 50; part++)
        {
            Add(now: part * Part, successes: part, failures: 1);
            long kept = Enumerable.Range(0, part + 1).TakeLast(10).Sum(p => p + 1L);
            _window.Sum(part * Part, Part).ShouldBe((kept, Math.Min(part + 1, 10)), $"part {part}");
        }
    }

    [Fact]
    public void A_part_that_comes_round_starts_from_nothing()
    {
        Add(now: 0, successes: 0, failures: 1_000);
        Add(now: 10 * Part, successes: 1, failures: 0);

        _window.Sum(10 * Part, Part).ShouldBe((1, 0));
    }

    [Fact]
    public void After_a_long_silence_nothing_old_counts()
    {
        Add(now: 0, successes: 5, failures: 5);
        foreach (long silence in new[] { 10, 11, 20, 1_000, 1L << 23, 1L << 24, (1L << 24) + 10, 1L << 25 })
            _window.Sum(silence * Part, Part).ShouldBe((0, 0), $"after {silence} parts");
    }

    [Theory]
    [InlineData(1L << 24)]
    [InlineData(3L << 24)]
    [InlineData(1L << 40)]
    public void The_number_of_a_part_that_wraps_around_loses_nothing(long wrap)
    {
        for (long part = wrap - 12; part < wrap + 12; part++)
        {
            Add(part * Part, successes: 2, failures: 1);
            long parts = Math.Min(part - (wrap - 12) + 1, 10);
            _window.Sum(part * Part, Part).ShouldBe((3 * parts, parts), $"{part - wrap} parts after the wrap");
        }
    }

    [Theory]
    [InlineData(10, 3)]
    [InlineData(10, 10)]
    [InlineData(10, 0)]
    [InlineData(100, 1)]
    public void A_part_that_is_full_keeps_the_ratio(int outOf, int failures)
    {
        for (int i = 0; i < 3_000_000 / outOf; i++)
            Add(now: 0, successes: outOf - failures, failures: failures);

        var (attempts, failed) = _window.Sum(0, Part);
        attempts.ShouldBeInRange(500_000, 1 << 20);
        (failed / (double)attempts).ShouldBe(failures / (double)outOf, 1e-4);
        // Nothing has run over into the neighbouring numbers.
        _window.Sum(9 * Part, Part).ShouldBe((attempts, failed));
        _window.Sum(10 * Part, Part).ShouldBe((0, 0));
    }

    [Fact]
    public void A_full_part_goes_on_from_half_of_both_counts()
    {
        const int Full = (1 << 20) - 1;
        Add(now: 0, successes: Full - 1000, failures: 1000);
        _window.Sum(0, Part).ShouldBe((Full, 1000));

        Add(now: 0, successes: 1, failures: 0);
        _window.Sum(0, Part).ShouldBe((Full / 2 + 1, 500));
        Add(now: 0, successes: 0, failures: 1);
        _window.Sum(0, Part).ShouldBe((Full / 2 + 2, 501));
    }

    [Fact]
    public void Cleared_it_is_empty()
    {
        for (int part = 0; part < 10; part++)
            Add(part * Part, successes: 1, failures: 1);

        _window.Clear();

        _window.Sum(9 * Part, Part).ShouldBe((0, 0));
    }

    [Fact]
    public void Two_threads_lose_no_count()
    {
        const int Each = 1_000_000;
        using var start = new Barrier(2);
        // Both in the same part, and both going on to the next at the same counts.
        Thread[] threads = [.. Enumerable.Range(0, 2).Select(t => new Thread(() =>
        {
            for (int part = 0; part < 5; part++)
            {
                start.SignalAndWait();
                for (int i = 0; i < Each / 5; i++)
                    _window.Add(failed: i % 4 == t, part * Part, Part);
            }
        }))];
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();

        _window.Sum(4 * Part, Part).ShouldBe((2 * Each, 2 * Each / 4));
    }

    private void Add(long now, int successes, int failures)
    {
        for (int i = 0; i < successes + failures; i++)
            _window.Add(i < failures, now, Part);
    }

    [Fact]
    public void The_pace_is_the_time_since_the_first_attempt_that_is_remembered_over_their_number()
    {
        var window = new FailureWindow();
        window.Pace(now: 10_000, bucketLength: 1000, leastAttempts: 1, since: 0).ShouldBeNull();

        for (int i = 0; i < 9; i++)
            window.Add(failed: false, 10_000 + i * 300, 1000);
        window.Pace(12_400, 1000, leastAttempts: 10, since: 0).ShouldBeNull();
        window.Add(failed: true, 12_400, 1000);

        window.Pace(12_400, 1000, leastAttempts: 10, since: 0).ShouldBe(240);
        window.Pace(12_400, 1000, leastAttempts: 10, since: 10_000 + 1_400).ShouldBe(100);
        window.Pace(22_400, 1000, leastAttempts: 1, since: 0).ShouldBeNull();
    }
}
