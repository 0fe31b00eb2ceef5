using System.Globalization;
using HttpResilience.Tests.Telemetry;

namespace HttpResilience.Tests.Fallback;

/// <summary>Alone: one of them measures the memory of the process.</summary>
[Collection(Alone.Name)]
public sealed class FallbackCacheTests
{
    private const int MaxBytes = 100_000;

    private readonly FallbackCache _memory = new();

    [Fact]
    public void The_least_recently_used_response_is_evicted_first()
    {
        foreach (string resource in (string[])["a", "b", "c"])
            Put(resource, 30_000).ShouldBeTrue();
        _memory.Find("a", "v").ShouldNotBeNull();

        Put("d", 30_000).ShouldBeTrue();

        _memory.Find("b", "v").ShouldBeNull();
        ((string[])["a", "c", "d"]).ShouldAllBe(r => _memory.Find(r, "v") != null);
    }

    [Fact]
    public void A_response_that_is_too_big_evicts_no_other()
    {
        Put("a", 1000);

        Put("b", MaxBytes).ShouldBeFalse();

        (_memory.Count, _memory.Bytes).ShouldBe((1, Kept("a", 1000).Size));
    }

    [Fact]
    public void The_later_response_counts_whichever_comes_first()
    {
        Put("a", 10, receivedAt: 5);

        Put("a", 20, receivedAt: 4).ShouldBeFalse();
        _memory.Find("a", "v")!.Stored.Response.Body.Length.ShouldBe(10);
        Put("a", 30, receivedAt: 6).ShouldBeTrue();
        (_memory.Count, _memory.Bytes).ShouldBe((1, Kept("a", 30).Size));
    }

    [Fact]
    public void A_response_requested_before_an_invalidation_is_not_cached_and_a_later_one_is()
    {
        Put("a", 1);
        _memory.Invalidate("a", now: 10);

        _memory.Count.ShouldBe(0);
        Put("a", 1, askedAt: 10).ShouldBeFalse();
        Put("b", 1, askedAt: 10).ShouldBeTrue();
        Put("a", 1, askedAt: 11).ShouldBeTrue();
    }

    [Fact]
    public void No_invalidation_is_lost_however_many_there_are()
    {
        for (int i = 0; i < 10_000; i++)
            _memory.Invalidate(i.ToString(CultureInfo.InvariantCulture), now: i);

        for (int i = 0; i < 10_000; i += 100)
            Put(i.ToString(CultureInfo.InvariantCulture), 1, askedAt: i).ShouldBeFalse();
        Put("0", 1, askedAt: 10_000).ShouldBeTrue();
        // Who knows no more about a resource passes over what is older than what it knows.
        Put("unheard of", 1, askedAt: 9_000).ShouldBeTrue();
        Put("unheard of", 1, receivedAt: 1, askedAt: 5_000).ShouldBeFalse();
    }

    [Fact]
    public void A_resource_that_is_changed_again_and_again_is_not_taken_for_unchanged()
    {
        for (int i = 0; i < 5000; i++)
            _memory.Invalidate("a", now: i);

        Put("a", 1, askedAt: 4999).ShouldBeFalse();
        Put("a", 1, askedAt: 5000).ShouldBeTrue();
    }

    [Fact]
    public void The_cache_stays_within_its_bounds_under_concurrent_use()
    {
        int seed = Random.Shared.Next();
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        // One clock for all threads: after an invalidation at the time of a thread far ahead, the responses
        // of the others would be rejected as older.
        long clock = 0;
        Parallel.For(0, 4, thread =>
        {
            var random = new Random(seed + thread);
            for (int i = 0; i < 20_000; i++)
            {
                string resource = $"r{random.Next(200)}", variant = $"v{random.Next(5)}";
                long now = Interlocked.Increment(ref clock);
                switch (random.Next(10))
                {
                    case 0:
                        _memory.Invalidate(resource, now);
                        break;
                    case 1:
                        _memory.Remove(resource, variant);
                        break;
                    case 2 or 3:
                        _memory.Find(resource, variant);
                        break;
                    default:
                        int bytes = random.Next(random.Next(2) == 0 ? 100 : 30_000);
                        _memory.Put(Kept(resource, bytes, variant, now), now, random.Next(100) == 0 ? MaxBytes / 4 : MaxBytes);
                        break;
                }

                _memory.Bytes.ShouldBeInRange(0, MaxBytes, $"seed {seed}");
            }
        });

        var left = from r in Enumerable.Range(0, 200) from v in Enumerable.Range(0, 5) select _memory.Find($"r{r}", $"v{v}");
        var all = left.OfType<CachedResponse>().ToList();
        (all.Count, all.Sum(k => k.Size)).ShouldBe((_memory.Count, _memory.Bytes));
        all.Count.ShouldBeGreaterThan(0);
        for (int i = 0; i < 200; i++)
            _memory.Invalidate($"r{i}", 0);
        (_memory.Count, _memory.Bytes).ShouldBe((0, 0));
    }

    [Fact]
    public void The_count_is_not_below_what_it_takes()
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < 5000; i++)
            _memory.Put(Kept(RequestFields.ResourceOf(new($"https://api.test/{i}")), 100,
                RequestFields.ResourceOf(new($"https://v.test/{i}"))), 1, int.MaxValue);

        long taken = GC.GetTotalMemory(forceFullCollection: true) - before;

        _memory.Count.ShouldBe(5000);
        taken.ShouldBeLessThan(_memory.Bytes);
        GC.KeepAlive(_memory);
    }

    private bool Put(string resource, int bytes, long receivedAt = 0, long askedAt = 1) =>
        _memory.Put(Kept(resource, bytes, "v", receivedAt), askedAt, MaxBytes);

    private static CachedResponse Kept(string resource, int bytes, string variant = "v", long receivedAt = 0) => new(
        new(resource, variant, default, default, default, new(200, "OK", [new("Content-Type", "text/plain")], new byte[bytes])),
        receivedAt);
}
