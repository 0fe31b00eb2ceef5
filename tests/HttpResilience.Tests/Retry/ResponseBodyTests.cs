using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Retry;

/// <summary><c>Retry:IncludeResponseBody</c>.</summary>
public sealed class ResponseBodyTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task A_body_that_breaks_off_is_asked_for_again(bool async)
    {
        using var chain = new Chain(o => o.Retry.IncludeResponseBody = true);
        chain.Server.Script(Replies.Content(200, () => new BrokenContent()), Replies.Status(200, "whole"));

        using var response = await chain.GetAsync(async);

        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("whole");
        response.GetHttpCall()!.Attempts.Select(a => a.FailureClass).ShouldBe([FailureClass.Transient, FailureClass.None]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_body_that_stalls_is_given_up_with_its_attempt(bool async)
    {
        using var chain = new Chain(o => o.Retry.IncludeResponseBody = true);
        chain.Server.Script(Replies.Content(200, () => new StallingContent(chain.Clock)), Replies.Status(200, "whole"));

        using var response = await chain.GetAsync(async);

        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("whole");
        chain.Server.Requests[1].SentAfter.ShouldBe(TimeSpan.FromSeconds(31));
    }

    [Fact]
    public async Task Without_it_a_body_that_breaks_off_reaches_the_caller()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Content(200, () => new BrokenContent()), Replies.Status(200));

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => chain.GetAsync());

        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_body_longer_than_the_buffer_size_of_the_client_is_refused_as_HttpClient_does(bool async)
    {
        using var chain = new Chain(
            o => o.Retry.IncludeResponseBody = true,
            client: b => b.ConfigureHttpClient(c => c.MaxResponseContentBufferSize = 4));
        chain.Server.Script(Replies.Status(200, "12345"));

        var thrown = await Assert.ThrowsAnyAsync<HttpRequestException>(() => chain.GetAsync(async));

        thrown.HttpRequestError.ShouldBe(HttpRequestError.ConfigurationLimitExceeded);
        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.NotRetryable);
        thrown.GetHttpCall()!.MayHaveBeenProcessed.ShouldBeTrue();
    }

    /// <summary>A content of a handler of the application may throw anything.</summary>
    [Theory]
    [InlineData(typeof(InvalidOperationException))]
    [InlineData(typeof(NotSupportedException))]
    [InlineData(typeof(FormatException))]
    [InlineData(typeof(UnauthorizedAccessException))]
    public async Task A_post_whose_response_has_come_may_have_been_processed_whatever_its_body_throws(Type error)
    {
        using var chain = new Chain(o => o.Retry.IncludeResponseBody = true);
        chain.Server.Script(Replies.Content(201, () => new ThrowingContent((Exception)Activator.CreateInstance(error)!)));

        var thrown = await Should.ThrowAsync(() => chain.PostAsync(), error);

        thrown.GetHttpCall()!.MayHaveBeenProcessed.ShouldBeTrue();
        (thrown.GetHttpCall()!.FailureClass, chain.Server.Requests.Count).ShouldBe((FailureClass.Permanent, 1));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_body_that_cannot_be_decompressed_is_asked_for_again(bool async)
    {
        using var chain = new Chain(o => o.Retry.IncludeResponseBody = true);
        chain.Server.Script(
            Replies.Content(200, () => new ThrowingContent(new InvalidDataException("x"))), Replies.Status(200, "whole"));

        using var response = await chain.GetAsync(async);

        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("whole");
    }

    private sealed class ThrowingContent(Exception exception) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => throw exception;

        protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            throw exception;

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class BrokenContent : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => throw new IOException("Broken off");

        protected override bool TryComputeLength(out long length) => (length = 0) != 0;
    }

    private sealed class StallingContent(ManualTimeProvider clock) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => throw new NotSupportedException();

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            while (!cancellationToken.IsCancellationRequested)
                clock.AdvanceToNextTimer();
            return Task.FromCanceled(cancellationToken);
        }

        protected override bool TryComputeLength(out long length) => (length = 0) != 0;
    }
}
