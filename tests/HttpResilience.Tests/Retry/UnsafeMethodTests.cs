namespace HttpResilience.Tests.Retry;

/// <summary>Which calls that are not idempotent are repeated, and after what.</summary>
public sealed class UnsafeMethodTests
{
    /// <summary>The request may have been processed.</summary>
    public static TheoryData<string> Ambiguous => ["500", "502", "503", "504", "408", "timeout", "reset", "broken off"];

    /// <summary>The request was not sent, or the server says that it did not process it.</summary>
    public static TheoryData<string> NotProcessed => ["429", "503 with Retry-After", "425", "421", "refused", "no such host"];

    [Theory, MemberData(nameof(Ambiguous))]
    public async Task A_post_without_a_key_is_not_repeated_when_it_may_have_been_processed(string failure) =>
        (await CallAsync(failure, o => o.Idempotency.Enabled = false)).ShouldBe((1, StopReason.UnsafeMethod));

    [Theory, MemberData(nameof(NotProcessed))]
    public async Task A_post_without_a_key_is_repeated_when_it_was_not_processed(string failure) =>
        (await CallAsync(failure, o => o.Idempotency.Enabled = false)).ShouldBe((2, StopReason.Succeeded));

    [Theory, MemberData(nameof(Ambiguous)), MemberData(nameof(NotProcessed))]
    public async Task A_post_with_a_key_is_repeated(string failure) =>
        (await CallAsync(failure, o => o.Idempotency.Enabled = true)).ShouldBe((2, StopReason.Succeeded));

    [Theory, MemberData(nameof(Ambiguous))]
    public async Task Never_holds_for_posts_with_a_key_too(string failure) =>
        (await CallAsync(failure, o => o.Retry.UnsafeMethods = UnsafeMethods.Never)).ShouldBe((1, StopReason.UnsafeMethod));

    [Theory, MemberData(nameof(NotProcessed))]
    public async Task Never_does_not_keep_a_post_back_that_was_not_processed(string failure) =>
        (await CallAsync(failure, o => o.Retry.UnsafeMethods = UnsafeMethods.Never)).ShouldBe((2, StopReason.Succeeded));

    [Theory, MemberData(nameof(Ambiguous)), MemberData(nameof(NotProcessed))]
    public async Task Always_needs_no_key(string failure) => (await CallAsync(failure, o =>
    {
        o.Idempotency.Enabled = false;
        o.Retry.UnsafeMethods = UnsafeMethods.Always;
    })).ShouldBe((2, StopReason.Succeeded));

    [Theory, MemberData(nameof(Ambiguous)), MemberData(nameof(NotProcessed))]
    public async Task A_delete_is_repeated_without_a_key(string failure) =>
        (await CallAsync(failure, o => o.Idempotency.Enabled = false, HttpMethod.Delete)).ShouldBe((2, StopReason.Succeeded));

    [Theory, InlineData("CONFIRM"), InlineData("get"), InlineData("LOCK")]
    public async Task An_unknown_method_counts_as_unsafe(string method) =>
        (await CallAsync("reset", _ => { }, new(method))).ShouldBe(
            method == "get" ? (2, StopReason.Succeeded) : (1, StopReason.UnsafeMethod));

    [Fact]
    public async Task The_failure_that_is_not_repeated_is_what_the_caller_gets()
    {
        using var chain = new Chain(o => o.Idempotency.Enabled = false);
        chain.Server.Script(Replies.Status(500, "half done"), Replies.Status(200));

        using var response = await chain.PostAsync();

        ((int)response.StatusCode).ShouldBe(500);
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("half done");
        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
    }

    private static async Task<(int Attempts, StopReason StopReason)> CallAsync(
        string failure, Action<HttpResilienceOptions> options, HttpMethod? method = null)
    {
        using var chain = new Chain(options);
        chain.Server.Script(Failure(failure), Replies.Status(200));
        try
        {
            using var response = await chain.SendAsync(
                true, new(method ?? HttpMethod.Post, "invoices") { Content = new StringContent("{}") });
            return (chain.Server.Requests.Count, response.GetHttpCall()!.StopReason);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
        {
            return (chain.Server.Requests.Count, e.GetHttpCall()!.StopReason);
        }
    }

    private static Reply Failure(string failure) => failure switch
    {
        "timeout" => Replies.Stalls(),
        "reset" => Replies.Reset(),
        "broken off" => Replies.Throws(() => new HttpRequestException(HttpRequestError.ResponseEnded, "The response ended prematurely.")),
        "refused" => Replies.ConnectionRefused(),
        "no such host" => Replies.Throws(() => new HttpRequestException(HttpRequestError.NameResolutionError, "Name or service not known")),
        "503 with Retry-After" => Replies.Status(503, ("Retry-After", "2")),
        _ => Replies.Status(int.Parse(failure, System.Globalization.CultureInfo.InvariantCulture)),
    };
}
