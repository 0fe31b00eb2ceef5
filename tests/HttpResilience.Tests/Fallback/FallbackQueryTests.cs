using System.Net.Http.Json;
using HttpResilience.Tests.Http;
using static HttpResilience.Tests.Fallback.FallbackChain;

namespace HttpResilience.Tests.Fallback;

/// <summary>QUERY (RFC 10008) is a read with a body, which belongs to the cache key.</summary>
public sealed class FallbackQueryTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task A_failed_query_is_answered_with_the_response_to_the_same_body(bool async)
    {
        using var chain = Open();
        await chain.SeeThenLoseAsync(Query("a"), Good("of a"));
        await chain.SeeThenLoseAsync(Query("b"), Good("of b"));

        (await chain.StaleAsync(Query("a"), async)).ShouldBe("of a");
        (await chain.StaleAsync(Query("b"), async)).ShouldBe("of b");
        (await chain.StaleAsync(Query("c"), async)).ShouldBeNull();
        (await chain.StaleAsync(new(HttpMethod.Query, "invoices/1"), async)).ShouldBeNull();
    }

    [Fact]
    public async Task A_body_that_can_be_written_only_once_is_part_of_the_key_and_is_sent()
    {
        using var chain = Open();
        await chain.SeeThenLoseAsync(Query(Once("a")), Good("of a"));

        (await chain.StaleAsync(Query(Once("a")))).ShouldBe("of a");
        (await chain.StaleAsync(Query(Once("b")))).ShouldBeNull();
        chain.Server.Requests.Select(r => r.Text).ShouldBe(["[\"a\"]", "[\"a\"]", "[\"b\"]"]);
    }

    [Fact]
    public async Task A_body_that_is_too_long_to_be_recorded_is_not_cached()
    {
        using var chain = Open(o => o.Retry.MaxReplayBodyBytes = 3);
        await chain.SeeThenLoseAsync(Query(Once("long")), Good("of long"));

        (await chain.StaleAsync(Query(Once("long")))).ShouldBeNull();
        chain.Server.Requests.Select(r => r.Text).ShouldBe(["[\"long\"]", "[\"long\"]"]);
    }

    [Fact]
    public async Task The_same_body_of_another_type_is_another_query()
    {
        using var chain = Open();
        await chain.SeeThenLoseAsync(Query("a"), Good("of a"));

        (await chain.StaleAsync(Query(new StringContent("a", null, "application/sql")))).ShouldBeNull();
    }

    [Theory, InlineData("QUERY"), InlineData("PROPFIND"), InlineData("SEARCH"), InlineData("REPORT")]
    public async Task A_safe_method_leaves_the_kept_GET_in_place(string method)
    {
        using var chain = Open();
        await chain.SeeThenLoseAsync();
        chain.Server.Script(Good("other"));
        (await chain.SendAsync(true, new(new(method), "invoices/1") { Content = new StringContent("a") })).Dispose();
        chain.Server.Script(Replies.Status(503));

        (await chain.StaleAsync()).ShouldBe("good");
    }

    [Theory, InlineData("MKCOL"), InlineData("MOVE"), InlineData("PATCH"), InlineData("PURGE")]
    public async Task Another_method_removes_the_kept_GET_and_the_kept_queries(string method)
    {
        using var chain = Open();
        await chain.SeeThenLoseAsync();
        await chain.SeeThenLoseAsync(Query("a"), Good("of a"));
        chain.Server.Script(Good("other"));
        (await chain.SendAsync(true, new(new(method), "invoices/1"))).Dispose();
        chain.Server.Script(Replies.Status(503));

        (await chain.StaleAsync()).ShouldBeNull();
        (await chain.StaleAsync(Query("a"))).ShouldBeNull();
    }

    [Fact]
    public async Task A_GET_with_a_body_is_not_cached()
    {
        using var chain = Open();
        await chain.SeeThenLoseAsync(new(HttpMethod.Get, "invoices/1") { Content = new StringContent("a") });

        (await chain.StaleAsync(new(HttpMethod.Get, "invoices/1") { Content = new StringContent("a") })).ShouldBeNull();
    }

    private static HttpRequestMessage Query(string body) => Query(new StringContent(body));

    private static JsonContent Once(string row) => JsonContent.Create(OneShot.Rows([row]));

    private static HttpRequestMessage Query(HttpContent body) => new(HttpMethod.Query, "invoices/1") { Content = body };
}
