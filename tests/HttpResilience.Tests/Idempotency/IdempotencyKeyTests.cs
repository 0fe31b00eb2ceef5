using System.Globalization;

namespace HttpResilience.Tests.Idempotency;

public sealed class IdempotencyKeyTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task A_post_is_sent_again_with_the_same_key_and_the_next_call_gets_a_fresh_one(bool async)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503), Replies.Reset(), Replies.Status(500), Replies.Status(201));

        using var first = await chain.PostAsync(async);
        using var second = await chain.PostAsync(async);

        string[] keys = [.. chain.Server.Requests.Select(s => s.IdempotencyKey!)];
        keys.Length.ShouldBe(5);
        keys[..4].Distinct().ShouldHaveSingleItem();
        keys[4].ShouldNotBe(keys[0]);
        keys.Select(k => Guid.ParseExact(k, "D").ToString()).ShouldBe(keys);
        first.GetHttpCall()!.IdempotencyKey.ShouldBe(keys[0]);
        second.GetHttpCall()!.IdempotencyKey.ShouldBe(keys[4]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_key_that_the_caller_set_in_the_header_is_kept(bool async)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503), Replies.Status(201));
        var request = Chain.Post().WithIdempotencyKey("not this");
        request.Headers.Add("idempotency-key", "comp1:invoice:001");

        using (HttpCallScope.Begin(new() { IdempotencyKey = "nor this" }))
        {
            using var response = await chain.SendAsync(async, request);
            response.GetHttpCall()!.IdempotencyKey.ShouldBe("comp1:invoice:001");
        }

        chain.Server.Requests.Select(s => s.IdempotencyKey).ShouldBe(["comp1:invoice:001", "comp1:invoice:001"]);
    }

    [Theory, InlineData("POST", true), InlineData("PATCH",
        true), InlineData("GET", false), InlineData("PUT", false), InlineData("DELETE", false), InlineData("HEAD", false)]
    public async Task Posts_and_patches_get_a_key_and_nothing_else_does(string method, bool keyed)
    {
        using var chain = new Chain();

        using var response = await chain.SendAsync(true, new(new(method), "invoices"));

        (chain.Server.Requests[0].IdempotencyKey is not null).ShouldBe(keyed);
        (response.GetHttpCall()!.IdempotencyKey is not null).ShouldBe(keyed);
    }

    [Fact]
    public async Task Other_methods_may_be_given_keys()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Idempotency:Methods:0"] = "put" });

        (await chain.SendAsync(true, new(HttpMethod.Put, "invoices/1"))).Dispose();
        (await chain.PostAsync()).Dispose();

        chain.Server.Requests[0].IdempotencyKey.ShouldNotBeNull();
        chain.Server.Requests[1].IdempotencyKey.ShouldBeNull();
    }

    [Fact]
    public async Task A_key_given_for_the_request_is_sent_whatever_the_method()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        (await chain.SendAsync(true, new HttpRequestMessage(new("QUERY"), "invoices").WithIdempotencyKey("mine"))).Dispose();

        chain.Server.Requests.Select(s => s.IdempotencyKey).ShouldBe(["mine", "mine"]);
    }

    [Fact]
    public async Task Another_header_may_carry_the_key()
    {
        using var chain = new Chain(o => o.Idempotency.HeaderName = "X-Request-Key");

        (await chain.SendAsync(true, Chain.Post().WithIdempotencyKey("mine"))).Dispose();

        chain.Server.Requests[0].Headers["X-Request-Key"].ShouldBe("mine");
        chain.Server.Requests[0].IdempotencyKey.ShouldBeNull();
    }

    [Theory, InlineData("mine", "\"mine\""), InlineData("a\"b\\c", "\"a\\\"b\\\\c\"")]
    public async Task The_key_may_be_sent_as_a_structured_field(string key, string header)
    {
        using var chain = new Chain(o => o.Idempotency.Quoted = true);
        chain.Server.Script(Replies.Status(503), Replies.Status(201));

        using var response = await chain.SendAsync(true, Chain.Post().WithIdempotencyKey(key));

        chain.Server.Requests.Select(s => s.IdempotencyKey).ShouldBe([header, header]);
        response.GetHttpCall()!.IdempotencyKey.ShouldBe(key);
    }

    [Fact]
    public async Task Switched_off_no_key_is_made()
    {
        using var chain = new Chain(o => o.Idempotency.Enabled = false);

        using var response = await chain.PostAsync();

        chain.Server.Requests[0].IdempotencyKey.ShouldBeNull();
        response.GetHttpCall()!.IdempotencyKey.ShouldBeNull();
    }

    public static TheoryData<string> Invalid =>
        ["", "  ", "a\r\nX-Injected: 1", "a\nb", "a\tb", "a\0b", "caf\u00e9", "a\u007fb", new string('k', 256)];

    [Theory, MemberData(nameof(Invalid))]
    public void A_request_takes_no_key_that_a_header_cannot_carry(string key) =>
        Should.Throw<ArgumentException>(() => Chain.Post().WithIdempotencyKey(key));

    [Theory, MemberData(nameof(Invalid))]
    public void A_scope_takes_no_key_that_a_header_cannot_carry(string key) =>
        Should.Throw<ArgumentException>(() => HttpCallScope.Begin(new() { IdempotencyKey = key }));

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_key_that_went_wrong_after_the_scope_began_throws_before_anything_is_sent(bool async)
    {
        using var chain = new Chain();
        var options = new HttpCallScopeOptions { IdempotencyKey = "good" };
        using var scope = HttpCallScope.Begin(options);
        options.IdempotencyKey = "b\u00e4d";

        var thrown = await Assert.ThrowsAnyAsync<ArgumentException>(() => chain.PostAsync(async));

        chain.Server.Requests.ShouldBeEmpty();
        chain.Logs.Call["StopReason"].ShouldBe("NotRetryable");
        thrown.GetHttpCall()!.Attempts.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_key_in_the_header_that_is_too_long_throws_before_anything_is_sent()
    {
        using var chain = new Chain();
        var request = Chain.Post();
        request.Headers.Add("Idempotency-Key", new string('k', 256));

        await Assert.ThrowsAnyAsync<ArgumentException>(() => chain.SendAsync(true, request));

        chain.Server.Requests.ShouldBeEmpty();
    }

    [Theory, InlineData(1), InlineData(255)]
    public async Task The_shortest_and_the_longest_key_are_sent(int length)
    {
        using var chain = new Chain();
        string key = new('~', length);

        (await chain.SendAsync(true, Chain.Post().WithIdempotencyKey(key))).Dispose();

        chain.Server.Requests[0].IdempotencyKey.ShouldBe(key);
    }

    [Fact]
    public async Task Calls_at_the_same_time_have_keys_of_their_own()
    {
        using var chain = new Chain();

        await Task.WhenAll(Enumerable.Range(0, 100).Select(i =>
            chain.SendAsync(true, Chain.Post(new StringContent(i.ToString(CultureInfo.InvariantCulture))))));

        chain.Server.Requests.Select(s => s.IdempotencyKey).Distinct().Count().ShouldBe(100);
    }
}
