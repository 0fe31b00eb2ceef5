namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The contract of <see cref="IFallbackStore"/>, for every store.</summary>
public abstract class FallbackStoreContract : StorageContract
{
    private const long Plenty = long.MaxValue;

    private IFallbackStore Store => field ??= Database.Open().Fallbacks;

    [Fact]
    public async Task A_saved_response_is_found_unchanged_by_another_process()
    {
        var kept = Response(body: [0, 1, 255]) with
        {
            InitialAge = TimeSpan.FromMicroseconds(1_234_567),
            ExpiresAt = Noon.AddDays(1),
            Response = new(203, "Très bien", [new("ETag", "\"x\""), new("X-Twice", "1"), new("x-twice", "2")], new byte[] { 0, 1, 255 }),
        };

        await SaveAsync(kept);

        var found = (await Database.Open().Fallbacks.FindAsync("api", "r", "v", Stop)).ShouldNotBeNull();
        (found with { Response = kept.Response }).ShouldBe(kept);
        (found.Response.StatusCode, found.Response.ReasonPhrase, found.Size).ShouldBe((203, "Très bien", kept.Size));
        found.Response.Headers.ShouldBe(kept.Response.Headers);
        found.Response.Body.ToArray().ShouldBe([0, 1, 255]);
    }

    [Theory, InlineData(null), InlineData("a\0b")]
    public async Task A_response_needs_no_reason_no_header_and_no_body(string? reason)
    {
        await SaveAsync(Response() with { Response = new(204, reason, [], default) });

        var found = (await Store.FindAsync("api", "r", "v", Stop))!.Response;
        (found.StatusCode, found.ReasonPhrase, found.Headers.Count, found.Body.Length).ShouldBe(
            (204, reason?.Replace('\0', '\uFFFD'), 0, 0));
    }

    [Theory]
    [InlineData("Api", "r", "v")]
    [InlineData("api", "R", "v")]
    [InlineData("api", "r", "V")]
    [InlineData("api", "r", "")]
    [InlineData("api", "v", "r")]
    [InlineData("api", "r", "v' OR '1'='1")]
    public async Task A_response_is_found_only_for_its_own_client_resource_and_variant(string client, string resource, string variant)
    {
        await SaveAsync(Response());

        (await Store.FindAsync(client, resource, variant, Stop)).ShouldBeNull();
    }

    [Fact]
    public async Task The_latest_response_is_kept_in_any_order_of_saving()
    {
        await SaveAsync(Response(body: [1]) with { ReceivedAt = Noon });
        await SaveAsync(Response(body: [2]) with { ReceivedAt = Noon.AddMicroseconds(-1) });
        (await Store.FindAsync("api", "r", "v", Stop))!.Response.Body.ToArray().ShouldBe([1]);

        await SaveAsync(Response(body: [3]) with { ReceivedAt = Noon, ExpiresAt = Noon.AddDays(9), InitialAge = TimeSpan.FromSeconds(3) });

        var found = (await Store.FindAsync("api", "r", "v", Stop))!;
        (found.Response.Body.Span[0], found.ExpiresAt, found.InitialAge).ShouldBe(((byte)3, Noon.AddDays(9), TimeSpan.FromSeconds(3)));
    }

    [Fact]
    public async Task The_oldest_responses_are_evicted_above_the_size_limit()
    {
        long size = Response(body: new byte[1000]).Size;
        var all = Enumerable.Range(0, 10)
            .Select(i => Response($"r{i}", body: new byte[1000]) with { ReceivedAt = Noon.AddSeconds(i * 7 % 10) }).ToList();
        await Store.SaveAsync("other", [all[7]], Plenty, Stop);

        await Store.SaveAsync("api", all, 4 * size, Stop);

        var left = new List<FallbackResponse>();
        foreach (var response in all)
        {
            if (await Store.FindAsync("api", response.Resource, "v", Stop) is { } found)
                left.Add(found);
        }

        left.Select(r => (r.ReceivedAt - Noon).TotalSeconds).Order().ShouldBe([6, 7, 8, 9]);
        (await Store.FindAsync("other", "r7", "v", Stop)).ShouldNotBeNull();
        await Store.SaveAsync("api", [], (4 * size) - 1, Stop);
        (await Store.RemoveAsync("api", left.MinBy(r => r.ReceivedAt)!.Resource, null, Stop)).ShouldBe(0);
    }

    [Fact]
    public async Task A_response_above_the_size_limit_is_not_stored()
    {
        await Store.SaveAsync("api", [Response(body: new byte[1000])], 1000, Stop);

        (await Store.FindAsync("api", "r", "v", Stop)).ShouldBeNull();
    }

    [Fact]
    public async Task A_resource_is_removed_completely_or_by_variant()
    {
        await SaveAsync(Response(variant: "a"), Response(variant: "b"), Response(variant: "c"), Response("other"));
        await Store.SaveAsync("others", [Response(variant: "a")], Plenty, Stop);

        (await Store.RemoveAsync("api", "r", "a", Stop)).ShouldBe(1);
        (await Store.RemoveAsync("api", "r", "a", Stop)).ShouldBe(0);
        (await Store.FindAsync("api", "r", "b", Stop)).ShouldNotBeNull();
        (await Store.RemoveAsync("api", "r", null, Stop)).ShouldBe(2);

        (await Store.FindAsync("api", "other", "v", Stop)).ShouldNotBeNull();
        (await Store.FindAsync("others", "r", "a", Stop)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Only_expired_responses_are_purged()
    {
        await SaveAsync(Response("a") with { ExpiresAt = Noon }, Response("b") with { ExpiresAt = Noon.AddMicroseconds(1) });

        (await Store.PurgeAsync(Noon, Stop)).ShouldBe(1);

        (await Store.FindAsync("api", "a", "v", Stop)).ShouldBeNull();
        (await Store.FindAsync("api", "b", "v", Stop)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Concurrent_saves_and_removals_of_many_processes_stay_within_the_size_limit()
    {
        IFallbackStore[] stores = [Store, Database.Open().Fallbacks];
        long most = 20 * Response(body: new byte[100]).Size;

        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(async () =>
        {
            var random = new Random(i);
            var responses = Enumerable.Range(0, 10)
                .Select(_ => Response($"r{random.Next(50)}", body: new byte[100]) with { ReceivedAt = Noon.AddSeconds(i) })
                .DistinctBy(r => r.Resource).ToList();
            await stores[i % 2].SaveAsync("api", responses, most, Stop);
            await stores[i % 2].RemoveAsync("api", $"r{random.Next(50)}", null, Stop);
        }, Stop)));
        await Store.SaveAsync("api", [], most, Stop);

        int left = 0;
        for (int i = 0; i < 50; i++)
            left += await Store.FindAsync("api", $"r{i}", "v", Stop) is null ? 0 : 1;
        left.ShouldBeInRange(1, 20);
    }

    private static FallbackResponse Response(string resource = "r", string variant = "v", byte[]? body = null) =>
        new(resource, variant, Noon, TimeSpan.Zero, Noon.AddDays(1), new(200, "OK", [new("Content-Type", "text/plain")], body ?? []));

    private Task SaveAsync(params FallbackResponse[] responses) => Store.SaveAsync("api", responses, Plenty, Stop);
}
