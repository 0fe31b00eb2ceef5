using System.Net;
using Microsoft.Extensions.DependencyInjection;
using static HttpResilience.QuotaOptions;

namespace HttpResilience.Tests.RateLimiting;

/// <summary>A quota that a response reports as used up holds back the calls that it applies to.</summary>
public sealed class QuotaPauseTests
{
    private static readonly (string, string) Standard = ("RateLimit", "\"default\";r=0;t=20");
    private static readonly TimeSpan Asked = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(true, 200), InlineData(true, 204), InlineData(true, 304), InlineData(true, 404), InlineData(true, 422)]
    [InlineData(true, 500), InlineData(false, 200), InlineData(false, 404)]
    public async Task A_response_with_the_standard_field_pauses_the_host(bool async, int status)
    {
        using var chain = new Chain();
        await chain.ReportAsync(status, async, tenant: null, "a/b", Standard);

        (await chain.WaitOfAsync(null, async: async)).ShouldBe(Asked);
    }

    [Fact]
    public async Task A_quota_with_a_rest_pauses_nothing()
    {
        using var chain = new Chain();
        await chain.ReportAsync(200, true, null, "a/b", ("RateLimit", "\"default\";r=1;t=20"));

        (await chain.WaitOfAsync(null)).ShouldBe(TimeSpan.Zero);
    }

    [Theory, InlineData("X-RateLimit-Remaining", "X-RateLimit-Reset"), InlineData("RateLimit-Remaining", "RateLimit-Reset")]
    public async Task Fields_that_nobody_chose_pause_nothing_after_a_success(string remaining, string reset)
    {
        using var chain = new Chain();
        await chain.ReportAsync(200, true, null, "a/b", (remaining, "0"), (reset, "20"));

        (await chain.WaitOfAsync(null)).ShouldBe(TimeSpan.Zero);
    }

    [Theory, InlineData(null, false), InlineData(Api.GitHub, false), InlineData(null, true)]
    public async Task With_OnSuccess_Off_a_success_pauses_nothing(Api? preset, bool hasFields)
    {
        using var chain = new Chain(o =>
        {
            (o.Quota.Preset, o.Quota.OnSuccess) = (preset, SuccessAction.Off);
            if (hasFields)
                o.Quota.Fields = [new() { Remaining = "x-ratelimit-remaining", Reset = "x-ratelimit-reset" }];
        });
        await chain.ReportAsync(200, true, null, "a/b", Standard, ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "20"));

        (await chain.WaitOfAsync(null)).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task Without_Retry_After_being_heeded_a_quota_is_not_either()
    {
        using var chain = new Chain(o => o.Retry.ShouldRetryAfterHeader = false);
        await chain.ReportAsync(200, true, null, "a/b", Standard);

        (await chain.WaitOfAsync(null)).ShouldBe(TimeSpan.Zero);
    }

    [Theory, InlineData(null), InlineData(Api.Xero)]
    public async Task Tenants_do_not_pause_each_other(Api? preset)
    {
        using var chain = new Chain(o => o.Quota.Preset = preset);
        await chain.ReportAsync(200, true, "a", "a/b", Standard);
        await chain.ReportAsync(200, true, "b", "a/b", Standard);

        (await chain.WaitOfAsync("c")).ShouldBe(TimeSpan.Zero);
        (await chain.WaitOfAsync(null)).ShouldBe(TimeSpan.Zero);
        (await chain.WaitOfAsync("a")).ShouldBe(Asked);
    }

    [Fact]
    public async Task The_quota_of_all_tenants_pauses_the_host()
    {
        using var chain = new Chain(o => o.Quota.Preset = Api.Xero);
        await chain.ReportAsync(200, true, "a", "a/b", ("X-AppMinLimit-Remaining", "0"));

        (await chain.WaitOfAsync("b")).ShouldBe(TimeSpan.FromSeconds(60));
    }

    [Theory, InlineData(true, null), InlineData(false, null), InlineData(true, "a"), InlineData(false, "a")]
    public async Task Only_the_part_that_is_named_is_paused(bool async, string? tenant)
    {
        using var chain = new Chain(o => o.Quota.Preset = Api.GitHub);
        await chain.ReportAsync(200, async, tenant, "repos/a/b", ("x-ratelimit-remaining", "9"), ("x-ratelimit-resource", "core"));
        await chain.ReportAsync(200, async, tenant, "search/issues?q=1", ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "20"),
            ("x-ratelimit-resource", "search"));

        (await chain.WaitOfAsync(tenant, "repos/a/c", async)).ShouldBe(TimeSpan.Zero);
        (await chain.WaitOfAsync("other", "search/issues?q=2", async)).ShouldBe(TimeSpan.Zero);
        (await chain.WaitOfAsync(tenant, "search/issues?q=2", async)).ShouldBe(Asked);
    }

    [Fact]
    public async Task A_request_of_a_longer_path_that_is_not_known_belongs_where_its_beginning_does()
    {
        using var chain = new Chain(o => o.Quota.Preset = Api.GitHub);
        await chain.ReportAsync(200, true, null, "repos/a/b", ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "20"),
            ("x-ratelimit-resource", "core"));

        (await chain.WaitOfAsync(null, "repos/c/d")).ShouldBe(Asked);
    }

    [Fact]
    public async Task Reads_and_writes_of_Azure_do_not_pause_each_other()
    {
        using var chain = new Chain(o =>
        {
            o.Quota.Preset = Api.Azure;
            o.Quota.Fields = [new() { Remaining = "Left", Reset = "Reset", Part = "Kind" }];
        });
        await chain.ReportAsync(200, true, null, "a/b", ("Left", "0"), ("Reset", "20"), ("Kind", "reads"));
        chain.Server.Script(Replies.Status(200, ("Left", "5"), ("Kind", "writes")));
        var before = chain.Clock.Elapsed;
        (await chain.PostAsync()).Dispose();
        (await chain.PostAsync()).Dispose();

        (chain.Clock.Elapsed - before).ShouldBe(TimeSpan.Zero);
        (await chain.WaitOfAsync(null, "a/b")).ShouldBe(Asked);
    }

    [Theory, InlineData(null), InlineData("t")]
    public async Task The_partition_of_the_standard_field_is_a_part(string? tenant)
    {
        using var chain = new Chain();
        await chain.ReportAsync(200, true, tenant, "b/1", ("RateLimit", "\"default\";r=5;t=20;pk=:Yg==:"));
        await chain.ReportAsync(200, true, tenant, "a/1", ("RateLimit", "\"default\";r=0;t=20;pk=:YQ==:"));

        (await chain.WaitOfAsync(tenant, "b/1")).ShouldBe(TimeSpan.Zero);
        (await chain.WaitOfAsync(tenant, "a/1")).ShouldBe(Asked);
    }

    [Fact]
    public async Task A_rejection_for_the_quota_of_a_part_pauses_only_the_part()
    {
        using var chain = new Chain(o => o.Quota.Preset = Api.GitHub);
        await chain.ReportAsync(200, true, null, "repos/a/b", ("x-ratelimit-remaining", "9"), ("x-ratelimit-resource", "core"));
        await chain.ReportAsync(429, true, null, "search/code", ("Retry-After", "20"), ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "50"), ("x-ratelimit-resource", "search"));

        (await chain.WaitOfAsync(null, "repos/a/b")).ShouldBe(TimeSpan.Zero);
        (await chain.WaitOfAsync(null, "search/code")).ShouldBe(Asked);
    }

    [Fact]
    public async Task A_limit_that_GitHub_rejects_with_403_is_waited_for()
    {
        using var chain = new Chain(o => o.Quota.Preset = Api.GitHub);
        chain.Server.Script(Replies.Status(403, ("Retry-After", "20")), Replies.Status(200));

        using var response = await chain.GetAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        chain.Clock.Elapsed.ShouldBe(Asked);
    }

    [Fact]
    public async Task A_throttled_request_to_AWS_is_repeated()
    {
        using var chain = new Chain(o => o.Quota.Preset = Api.AWS);
        chain.Server.Script(Replies.Status(400, ("x-amzn-ErrorType", "ThrottlingException")), Replies.Status(200));

        using var response = await chain.PostAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_that_cannot_wait_so_long_fails_at_once_and_sends_nothing(bool async)
    {
        using var chain = new Chain(o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10));
        await chain.ReportAsync(200, async, null, "a/b", Standard);
        var before = chain.Clock.Elapsed;

        (await Should.ThrowAsync<RateLimitedException>(() => chain.GetAsync(async))).RetryAfter.ShouldBe(Asked);

        chain.Clock.Elapsed.ShouldBe(before);
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("RateLimit", "\"a\";r=0;t=31536000"), InlineData("RateLimit", "\"a\";r=0;t=999999999999999")]
    public async Task An_absurd_reset_is_shortened_to_MaxRetryAfter_or_ignored(string field, string value)
    {
        using var chain = new Chain(o => o.TotalRequestTimeout.Timeout = TimeSpan.FromHours(1));
        await chain.ReportAsync(200, true, null, "a/b", (field, value));

        (await chain.WaitOfAsync(null)).ShouldBeLessThanOrEqualTo(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(1));
    }

    [Theory, InlineData(50, 50), InlineData(60 * 24, 5)]
    public async Task A_reset_within_the_window_of_the_API_is_believed(int minutes, int waited)
    {
        using var chain = new Chain(o => (o.Quota.Preset, o.TotalRequestTimeout.Timeout) = (Api.GitHub, TimeSpan.FromDays(1)));
        await chain.ReportAsync(200, true, null, "a/b", ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", $"{minutes * 60}"));

        (await chain.WaitOfAsync(null)).ShouldBe(TimeSpan.FromMinutes(waited));
    }

    [Fact]
    public async Task The_field_is_found_in_one_of_the_first_responses_or_in_one_of_128()
    {
        using var chain = new Chain();
        for (int i = 0; i < 100; i++)
            await chain.ReportAsync(200, true, null, "a/b");
        chain.Server.Script(Replies.Status(200, Standard));

        int sent = 0;
        for (; chain.Clock.Elapsed == TimeSpan.Zero && sent < 300; sent++)
            (await chain.GetAsync()).Dispose();

        sent.ShouldBeInRange(2, 129);
    }

    [Fact]
    public async Task A_reload_switches_the_pause_off()
    {
        using var chain = new Chain();
        await chain.ReportAsync(200, true, null, "a/b", ("RateLimit", "\"default\";r=1;t=20"));
        chain.Reload(("Quota:OnSuccess", "Off"));
        await chain.ReportAsync(200, true, null, "a/b", Standard);

        (await chain.WaitOfAsync(null)).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task A_host_with_a_paused_part_is_kept()
    {
        using var chain = new Chain(o => o.Quota.Preset = Api.GitHub);
        await chain.ReportAsync(200, true, null, "a/b", ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "20"),
            ("x-ratelimit-resource", "core"));

        var host = chain.State.Hosts.All.Single();
        host.StandingAt(chain.Clock.GetTimestamp()).ShouldBe(HostStanding.Needed);
        chain.Clock.Advance(Asked);
        host.StandingAt(chain.Clock.GetTimestamp()).ShouldBe(HostStanding.Closed);
    }

    [Fact]
    public async Task The_replay_of_a_dead_letter_waits_for_the_quota()
    {
        using var chain = new Chain(
            o => (o.DeadLetter.Enabled, o.TotalRequestTimeout.Timeout) = (true, TimeSpan.FromSeconds(10)),
            services: s => s.AddHttpResilienceStorage(storage => storage.UseInMemory()));
        chain.Server.Script(Replies.Status(503));
        (await chain.SendAsync(true, Chain.Post().WithMaxRetryAttempts(0))).Dispose();
        await chain.ReportAsync(200, true, null, "a/b", Standard);
        int sent = chain.Server.Requests.Count;
        var review = chain.Services.GetRequiredService<IDeadLetterReview>();
        var letter = (await review.ListAsync(new(), TestContext.Current.CancellationToken)).Single();

        await review.SendAsync(letter.Id, "test", cancellationToken: TestContext.Current.CancellationToken);

        chain.Server.Requests.Count.ShouldBe(sent);
        (await review.FindAsync(letter.Id, TestContext.Current.CancellationToken))!.Status.ShouldBe(DeadLetterStatus.Pending);
    }
}

file static class Reported
{
    internal static async Task ReportAsync(
        this Chain chain, int status, bool async, string? tenant, string uri, params (string, string)[] fields)
    {
        chain.Server.Script(Replies.Status(status, fields), Replies.Status(200));
        (await chain.SendAsync(async, Of(tenant, uri).WithMaxRetryAttempts(0))).Dispose();
    }

    internal static async Task<TimeSpan> WaitOfAsync(this Chain chain, string? tenant, string uri = "a/b", bool async = true)
    {
        chain.Server.Script(Replies.Status(200));
        var before = chain.Clock.Elapsed;
        (await chain.SendAsync(async, Of(tenant, uri))).Dispose();
        var waited = chain.Clock.Elapsed - before;
        // Up to a second is added, so that calls are spread.
        return waited > TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(Math.Ceiling(waited.TotalSeconds) - 1) : waited;
    }

    private static HttpRequestMessage Of(string? tenant, string uri) => tenant is null ? Chain.Get(uri) : Chain.Get(uri).WithTenant(tenant);
}
