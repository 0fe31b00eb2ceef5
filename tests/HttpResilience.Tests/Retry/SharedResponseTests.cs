using System.Net;

namespace HttpResilience.Tests.Retry;

/// <summary>
/// A mock that answers several attempts with one object, which is disposed before the second attempt: the exception says so, instead of
/// an <see cref="ObjectDisposedException"/> somewhere else.
/// </summary>
public sealed class SharedResponseTests
{
    [Theory]
    [InlineData(true, "response"), InlineData(false, "response"), InlineData(true, "content"), InlineData(false, "content")]
    [InlineData(true, "response after a success"), InlineData(true, "content of another status")]
    public async Task One_response_for_all_attempts_is_named_as_the_fault_of_the_mock(bool async, string shared)
    {
        using var chain = new Chain();
        using var response = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable) { Content = new StringContent("busy") };
        var content = response.Content;
        chain.Server.Script(shared switch
        {
            "response" => [Replies.With(() => response)],
            "content" => [Replies.With(() => new(HttpStatusCode.ServiceUnavailable) { Content = content })],
            "content of another status" =>
                [
                    Replies.With(() => new(HttpStatusCode.ServiceUnavailable) { Content = content }),
                    Replies.With(() => new() { Content = content }),
                ],
            _ => [Replies.Status(200), Replies.With(() => response)],
        });
        if (shared is "response after a success")
            (await chain.GetAsync(async)).Dispose();

        var thrown = await Should.ThrowAsync<InvalidOperationException>(() => chain.GetAsync(async));

        thrown.ShouldNotBeOfType<ObjectDisposedException>();
        thrown.Message.ShouldContain("GET https://api.test ");
        thrown.Message.ShouldContain("the same response object for two attempts");
        var call = thrown.GetHttpCall()!;
        (call.StopReason, call.FailureClass, call.Attempts.Count).ShouldBe((StopReason.NotRetryable, FailureClass.Permanent, 2));
    }

    [Theory, InlineData(200), InlineData(404)]
    public async Task One_response_that_needs_no_second_attempt_is_returned(int status)
    {
        using var chain = new Chain();
        using var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent("the body") };
        chain.Server.Script(Replies.With(() => response));

        for (int i = 0; i < 2; i++)
        {
            var received = await chain.GetAsync();
            (await received.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("the body");
        }
    }

    [Fact]
    public async Task Responses_without_a_body_are_not_the_same()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.With(() => new(HttpStatusCode.ServiceUnavailable)), Replies.With(() => new()));

        using var response = await chain.GetAsync();

        response.GetHttpCall()!.Attempts.Count.ShouldBe(2);
    }
}
