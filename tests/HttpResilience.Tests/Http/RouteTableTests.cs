namespace HttpResilience.Tests.Http;

/// <summary>Which of several routes applies.</summary>
public sealed class RouteTableTests
{
    [Theory]
    [InlineData("GET", "/exports/17", "GET /exports/17", "/exports/17", "GET /exports/*", "/exports/*", "GET /exports/**", "/**")]
    [InlineData("POST", "/exports/17", "/exports/17", "POST /exports/*", "POST /**")]
    [InlineData("GET", "/exports", "/exports", "GET /exports/**", "GET /**")]
    [InlineData("GET", "/a/b/c", "/a/b/**", "/a/*/c", "/*/b/c", "/**")]
    [InlineData("GET", "/a/b", "/a/*", "/a/**", "/*/b", "/*/*", "/*/**", "/**")]
    [InlineData("GET", "/", "/", "/**")]
    public void The_path_from_left_to_right_then_the_method_is_the_most_specific(string method, string path, params string[] inOrder)
    {
        // Each pattern wins over all that follow it, wherever it stands.
        for (int i = 0; i < inOrder.Length; i++)
        {
            string[] rest = inOrder[i..];
            Find(rest, method, path).ShouldBe(inOrder[i]);
            Find([.. rest.Reverse()], method, path).ShouldBe(inOrder[i]);
        }
    }

    [Theory]
    [InlineData("/exports/*", "/v1/", "/v1/exports/17", true)]
    [InlineData("/v1/exports/*", "/v1/", "/v1/exports/17", true)]
    [InlineData("/*/exports/*", "/v1/", "/v1/exports/17", true)]
    [InlineData("/exports/*", "/v1/", "/v2/exports/17", false)]
    [InlineData("/exports/*", "/V1/", "/v1/exports/17", true)]
    [InlineData("/exports/*", "/v1/", "/exports/17", true)]
    [InlineData("/exports/*", "/api/v1/", "/api/v1/exports/17", true)]
    [InlineData("/v1/exports/*", "/api/v1/", "/api/v1/exports/17", false)]
    [InlineData("/exports/*", "", "/v1/exports/17", false)]
    [InlineData("/exports/*", "/", "/v1/exports/17", false)]
    // A relative URI replaces what follows the last slash.
    [InlineData("/exports/*", "/api/v1", "/api/exports/17", true)]
    [InlineData("/exports/*", "/api/v1", "/api/v1/exports/17", false)]
    [InlineData("/", "/v1/", "/v1/", true)]
    [InlineData("/v1", "/v1/", "/v1/", true)]
    [InlineData("/", "/v1/", "/v1", false)]
    [InlineData("/exports", "/v1/", "/v1x/exports", false)]
    public void A_path_may_be_written_from_the_base_address_or_from_the_host(string pattern, string basePath, string path, bool matches) =>
        (Find([pattern], "GET", path, basePath) is not null).ShouldBe(matches);

    [Theory]
    [InlineData("/exports/*", "/v1/**")]
    [InlineData("/exports/17", "/v1/exports/*")]
    [InlineData("/v1/exports/17", "/exports/*")]
    [InlineData("/v1/exports/*", "/exports/**")]
    [InlineData("GET /v1/exports/17", "/exports/17")]
    // The same requests: the way from the base address wins.
    [InlineData("/exports/17", "/v1/exports/17")]
    [InlineData("/exports/*", "/v1/exports/*")]
    [InlineData("/**", "/v1/**")]
    public void Both_ways_of_writing_are_compared_as_from_the_host(string moreSpecific, string less)
    {
        Find([moreSpecific, less], "GET", "/v1/exports/17", "/v1/").ShouldBe(moreSpecific);
        Find([less, moreSpecific], "GET", "/v1/exports/17", "/v1/").ShouldBe(moreSpecific);
    }

    [Fact]
    public void Of_a_request_of_no_route_there_is_none() => Find(["/a", "POST /b"], "GET", "/b").ShouldBeNull();

    [Fact]
    public void A_hostile_path_takes_no_more_than_a_look_at_its_beginning()
    {
        string[] patterns =
            [.. Enumerable.Range(0, 200).Select(i => $"/{string.Concat(Enumerable.Repeat("*/", i % 20))}x{i}/**"), "/%41/*"];
        string[] paths =
        [
            string.Concat(Enumerable.Repeat("/a", 30_000)), $"/{new string('a', 60_000)}",
            $"/{string.Concat(Enumerable.Repeat("%41", 20_000))}", new('/', 60_000),
            $"/x0/{string.Concat(Enumerable.Repeat("%2F..;//", 7_000))}",
        ];
        var table = new RouteTable([.. patterns.Select(RoutePatternTests.Parse)]);
        foreach (string path in paths)
            table.Find("GET", path, "/a/a/a/");
        long before = GC.GetAllocatedBytesForCurrentThread();

        foreach (string path in paths)
            table.Find("GET", path, "/a/a/a/");

        // A segment is unescaped only when its length can be that of a pattern's text.
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1000);
        table.Find("GET", paths[^1], "").ShouldBeGreaterThanOrEqualTo(0);
    }

    private static string? Find(string[] patterns, string method, string path, string basePath = "") =>
        new RouteTable([.. patterns.Select(RoutePatternTests.Parse)]).Find(method, path, basePath) is >= 0 and var index
            ? patterns[index] : null;
}
