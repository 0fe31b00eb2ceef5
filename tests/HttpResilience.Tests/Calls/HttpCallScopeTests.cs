namespace HttpResilience.Tests.Calls;

public sealed class HttpCallScopeTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_inside_a_scope_takes_what_the_scope_says(bool async)
    {
        using var chain = new Chain();
        using var scope = HttpCallScope.Begin(
            new() { IdempotencyKey = "comp1:invoice:001", Tenant = "comp1", Tags = { ["rowNumber"] = 5 } });

        using var response = await chain.PostAsync(async);

        var call = response.GetHttpCall()!;
        chain.Server.Requests[0].IdempotencyKey.ShouldBe("comp1:invoice:001");
        (call.IdempotencyKey, call.Tenant).ShouldBe(("comp1:invoice:001", "comp1"));
        call.Tags.ShouldBe([new("rowNumber", 5)]);
    }

    [Theory, InlineData("GET"), InlineData("PUT"), InlineData("DELETE")]
    public async Task The_key_of_a_scope_is_for_its_unsafe_call_only(string method)
    {
        using var chain = new Chain();
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = "mine", Tenant = "comp1" });

        using var response = await chain.SendAsync(true, new(new(method), "invoices/1"));

        chain.Server.Requests[0].IdempotencyKey.ShouldBeNull();
        response.GetHttpCall()!.IdempotencyKey.ShouldBeNull();
        response.GetHttpCall()!.Tenant.ShouldBe("comp1");
    }

    [Fact]
    public async Task Settings_of_the_request_take_precedence_over_the_scope()
    {
        using var chain = new Chain();
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = "of scope", Tenant = "of scope", Tags = { ["a"] = 1, ["b"] = 1 } });

        var request = Chain.Post().WithIdempotencyKey("of request").WithTenant("of request").WithTag("b", 2).WithTag("c", 2);
        using var response = await chain.SendAsync(true, request);

        var call = response.GetHttpCall()!;
        (call.IdempotencyKey, call.Tenant).ShouldBe(("of request", "of request"));
        call.Tags.OrderBy(t => t.Key).ShouldBe([new("a", 1), new("b", 2), new("c", 2)]);
    }

    [Fact]
    public async Task Scopes_nest_and_the_inner_one_wins_where_it_speaks()
    {
        using var chain = new Chain();
        var tenants = new List<string?>();
        async Task CallAsync()
        {
            using var response = await chain.PostAsync();
            var call = response.GetHttpCall()!;
            tenants.Add($"{call.Tenant}/{string.Join(',', call.Tags.Select(t => t.Key).Order())}");
        }

        using (HttpCallScope.Begin(new() { Tenant = "outer", Tags = { ["job"] = 1 } }))
        {
            using (HttpCallScope.Begin(new() { Tenant = "inner" }))
                await CallAsync();
            using (HttpCallScope.Begin(new() { Tags = { ["row"] = 2 } }))
                await CallAsync();
            await CallAsync();
        }

        await CallAsync();
        tenants.ShouldBe(["inner/job", "outer/job,row", "outer/job", "/"]);
    }

    [Fact]
    public async Task A_scope_flows_with_async_calls_and_stays_apart_from_those_beside_it()
    {
        using var chain = new Chain();
        var together = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        async Task<string?> RowAsync(int row)
        {
            using var scope = HttpCallScope.Begin(new() { Tenant = $"row{row}" });
            await together.Task;
            using var response = await Task.Run(() => chain.PostAsync());
            return response.GetHttpCall()!.Tenant;
        }

        Task<string?>[] rows = [.. Enumerable.Range(0, 20).Select(RowAsync)];
        together.SetResult();

        (await Task.WhenAll(rows)).ShouldBe(Enumerable.Range(0, 20).Select(row => $"row{row}"));
        HttpCallScope.Current.ShouldBeNull();
    }

    [Fact]
    public async Task A_scope_that_began_later_is_not_seen_by_a_call_that_is_running()
    {
        using var chain = new Chain();
        chain.Clock.SkipsWaits = false;
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        var sending = chain.GetAsync();
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(1));
        using (HttpCallScope.Begin(new() { Tenant = "late" }))
            chain.Clock.Advance(TimeSpan.FromSeconds(1));

        using var response = await sending;
        response.GetHttpCall()!.Tenant.ShouldBeNull();
    }

    [Fact]
    public void A_scope_needs_options() => Should.Throw<ArgumentNullException>(() => HttpCallScope.Begin(null!));

    [Fact]
    public async Task Tags_that_are_added_first_after_the_scope_has_begun_are_those_of_its_calls()
    {
        using var chain = new Chain();
        var options = new HttpCallScopeOptions { Tenant = "comp1" };
        using var scope = HttpCallScope.Begin(options);
        using var before = await chain.SendAsync(true, Chain.Get("a"));
        var call = before.GetHttpCall()!;
        call.Tags.ShouldBeEmpty();

        options.Tags["row"] = 1;

        call.Tags.ShouldBe([new("row", 1)]);
        using var after = await chain.SendAsync(true, Chain.Get("a"));
        after.GetHttpCall()!.Tags.ShouldBe([new("row", 1)]);
    }

    [Fact]
    public void Threads_that_use_the_tags_first_at_the_same_time_get_the_same()
    {
        for (int round = 0; round < 200; round++)
        {
            var options = new HttpCallScopeOptions();
            var seen = new IDictionary<string, object?>[4];
            Parallel.For(0, seen.Length, i => seen[i] = options.Tags);

            seen.ShouldAllBe(tags => ReferenceEquals(tags, options.Tags));
        }
    }

    [Fact]
    public void Options_without_tags_cost_no_dictionary_however_often_they_are_read()
    {
        var options = new HttpCallScopeOptions { Tenant = "comp1" };
        var inner = new HttpCallScopeOptions { MaxRetryAttempts = 1 };
        long With(Action read)
        {
            read();
            long before = GC.GetAllocatedBytesForCurrentThread();
            read();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        long merged = With(() => HttpCallScopeOptions.Merge(options, inner));
        long made = With(() => _ = new HttpCallScopeOptions());

        merged.ShouldBe(made);
        With(() => _ = new HttpCallScopeOptions().Tags).ShouldBeGreaterThan(made + 64);
        With(() => _ = options.CurrentTags.Count).ShouldBe(0);
    }
}
