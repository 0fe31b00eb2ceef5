using System.Text;
using HttpResilience.Tests.Hedging;
using HttpResilience.Tests.RequestLogging;
using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Failures;

/// <summary>A classifier that reads the beginning of error bodies leaves the whole body to the caller.</summary>
public sealed class ErrorBodyClassifierTests
{
    private const string Throttled = "{\"__type\":\"ThrottlingException\"}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_400_whose_body_says_throttling_is_retried(bool async)
    {
        using var chain = With(new Classifier());
        chain.Server.Script(Replies.Status(400, Throttled), Replies.Status(400, "{\"__type\":\"ValidationException\"}"));

        using var response = await chain.GetAsync(async);

        response.GetHttpCall()!.Attempts.Select(a => a.FailureClass).ShouldBe([FailureClass.RateLimited, FailureClass.Validation]);
        (await response.Content.ReadAsStringAsync(Stop)).ShouldBe("{\"__type\":\"ValidationException\"}");
    }

    [Theory, InlineData(1), InlineData(31), InlineData(32), InlineData(33), InlineData(20_000)]
    public async Task The_classifier_sees_the_first_bytes_and_the_caller_all_of_them(int length)
    {
        var classifier = new Classifier();
        using var chain = With(classifier, o => o.Logging.ErrorBodyBytes = 32);
        string body = new('x', length);
        chain.Server.Script(Replies.Content(400, () => new WireStream(Encoding.ASCII.GetBytes(body)).ToContent()));

        using var response = await chain.SendAsync(true, Chain.Get(), completion: HttpCompletionOption.ResponseHeadersRead);

        classifier.Seen.ShouldBe([body[..Math.Min(32, length)]]);
        (await response.Content.ReadAsStringAsync(Stop)).ShouldBe(body);
        chain.Logs.Call["ErrorBody"].ShouldBe(body[..Math.Min(32, length)]);
    }

    [Fact]
    public async Task The_body_is_read_once_for_the_classifier_the_letter_and_the_log()
    {
        var store = new TestStorage();
        using var chain = With(
            new Classifier(), o => o.DeadLetter.Enabled = true, s => s.AddSingleton<IDeadLetterStore>(store.DeadLetters));
        var body = new WireStream("short"u8.ToArray());
        chain.Server.Script(Replies.Content(400, () => body.ToContent()));

        using var response = await chain.SendAsync(true, Chain.Post(), completion: HttpCompletionOption.ResponseHeadersRead);

        // One for the bytes, one for the end.
        body.Reads.ShouldBe(2);
        (store.Letter.ErrorTitle, chain.Logs.Call["ErrorBody"]).ShouldBe(("short", "short"));
        (await response.Content.ReadAsStringAsync(Stop)).ShouldBe("short");
    }

    [Fact]
    public async Task Without_ReadsErrorBody_nothing_is_read_before_the_classification()
    {
        var body = new WireStream("short"u8.ToArray());
        int? readsBefore = null;
        var classifier = new Classifier { ReadsErrorBody = false, Classifying = () => readsBefore = body.Reads };
        using var chain = With(classifier);
        chain.Server.Script(Replies.Content(400, () => body.ToContent()));

        using var response = await chain.SendAsync(true, Chain.Get(), completion: HttpCompletionOption.ResponseHeadersRead);

        (readsBefore, classifier.Seen.Single()).ShouldBe((0, ""));
    }

    [Fact]
    public async Task With_ErrorBodyBytes_0_nothing_is_read()
    {
        var classifier = new Classifier();
        using var chain = With(classifier, o => o.Logging.ErrorBodyBytes = 0);
        var body = new WireStream("short"u8.ToArray());
        chain.Server.Script(Replies.Content(400, () => body.ToContent()));

        using var response = await chain.SendAsync(true, Chain.Get(), completion: HttpCompletionOption.ResponseHeadersRead);

        (body.Reads, classifier.Seen.Single(), response.GetErrorBody().Length).ShouldBe((0, "", 0));
    }

    [Theory, InlineData(200), InlineData(302), InlineData(204)]
    public async Task A_success_is_not_read(int status)
    {
        var classifier = new Classifier();
        using var chain = With(classifier);
        var body = new WireStream("short"u8.ToArray());
        chain.Server.Script(Replies.Content(status, () => body.ToContent()));

        using var response = await chain.SendAsync(true, Chain.Get(), completion: HttpCompletionOption.ResponseHeadersRead);

        (body.Reads, classifier.Seen.Single()).ShouldBe((0, ""));
    }

    [Fact]
    public async Task A_success_that_is_read_whole_is_no_error_body()
    {
        var classifier = new Classifier();
        using var chain = With(classifier, o => o.Retry.IncludeResponseBody = true);
        chain.Server.Script(Replies.Status(400, Throttled), Replies.Status(200, "fine"));

        using var response = await chain.GetAsync();

        classifier.Seen.ShouldBe([Throttled, ""]);
        (await response.Content.ReadAsStringAsync(Stop)).ShouldBe("fine");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_body_that_stalls_holds_the_call_for_five_seconds_and_is_not_lost(bool async)
    {
        var classifier = new Classifier();
        using var chain = With(classifier);
        var more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var body = new WireStream("the beginning"u8.ToArray(), stallsUntil: more.Task);
        chain.Server.Script(Replies.Content(400, () => body.ToContent()));

        var sending = chain.SendAsync(async, Chain.Get(), completion: HttpCompletionOption.ResponseHeadersRead);
        await body.Stalled;
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(5));
        chain.Clock.Advance(TimeSpan.FromSeconds(5));
        using var response = await sending;

        // The log does not wait for it again.
        (classifier.Seen.Single(), chain.Logs.Call["ErrorBody"]).ShouldBe(("the beginning", "the beginning"));
        more.SetResult();
        (await response.Content.ReadAsStringAsync(Stop)).ShouldBe("the beginning");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_body_that_stalls_does_not_outlast_the_attempt(bool async)
    {
        var classifier = new Classifier();
        using var chain = With(classifier, o => o.AttemptTimeout.Timeout = TimeSpan.FromSeconds(2));
        var body = new WireStream("the beginning"u8.ToArray(), stallsUntil: new TaskCompletionSource().Task);
        chain.Server.Script(Replies.Content(400, () => body.ToContent()));

        var sending = chain.SendAsync(async, Chain.Get(), completion: HttpCompletionOption.ResponseHeadersRead);
        await body.Stalled;
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(5));
        chain.Clock.Advance(TimeSpan.FromSeconds(2));
        using var response = await sending;

        ((int)response.StatusCode, classifier.Seen.Single(), response.GetHttpCall()!.StopReason).ShouldBe(
            (400, "the beginning", StopReason.NotRetryable));
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_classified_by_its_beginning()
    {
        var classifier = new Classifier();
        using var chain = With(classifier);
        chain.Server.Script(Replies.Content(400, () => new WireStream("half"u8.ToArray(), new IOException("cut")).ToContent()));

        using var response = await chain.SendAsync(true, Chain.Get(), completion: HttpCompletionOption.ResponseHeadersRead);

        classifier.Seen.ShouldBe(["half"]);
        (await Should.ThrowAsync<Exception>(() => response.Content.ReadAsStringAsync(Stop))).GetBaseException().Message.ShouldBe("cut");
    }

    [Fact]
    public async Task The_body_of_a_response_that_is_retried_is_disposed()
    {
        using var chain = With(new Classifier());
        var body = new WireStream(Encoding.ASCII.GetBytes(Throttled));
        chain.Server.Script(Replies.Content(400, () => body.ToContent()), Replies.Status(200));

        (await chain.GetAsync()).Dispose();

        body.IsDisposed.ShouldBeTrue();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_classifier_that_throws_loses_nothing(bool throwsBefore)
    {
        using var chain = With(new Classifier { Throws = !throwsBefore, ThrowsBefore = throwsBefore });
        chain.Server.Script(Replies.Status(400, Throttled));

        using var response = await chain.GetAsync();

        response.GetHttpCall()!.FailureClass.ShouldBe(FailureClass.Validation);
        (await response.Content.ReadAsStringAsync(Stop)).ShouldBe(Throttled);
        chain.Logs.WithId(407).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_resolver_still_gets_the_whole_body()
    {
        string? conflict = null;
        using var chain = With(
            new Classifier(), o => o.Logging.ErrorBodyBytes = 2,
            s => s.AddSingleton<IConflictResolver>(new Resolver(text => conflict = text)));
        chain.Server.Script(Replies.Content(409, () => new WireStream("the state"u8.ToArray()).ToContent()), Replies.Status(200));

        (await chain.PostAsync()).Dispose();

        conflict.ShouldBe("the state");
    }

    [Fact]
    public async Task A_hedged_request_is_classified_by_its_own_body()
    {
        using var chain = HedgedChain.Create(client: c => c.Services.AddSingleton<IFailureClassifier>(new Classifier()));
        var first = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.WhenNotCancelled(first), Replies.Status(400, Throttled));

        var sending = chain.GetAsync();
        await chain.PassDelayAsync();
        await chain.SentAsync(2);
        first.SetResult(new(System.Net.HttpStatusCode.BadRequest) { Content = new StringContent("{\"__type\":\"ValidationException\"}") });
        using var response = await sending;

        response.GetHttpCall()!.Attempts.Select(a => a.FailureClass).ShouldBe([FailureClass.RateLimited, FailureClass.Validation]);
        (await response.Content.ReadAsStringAsync(Stop)).ShouldBe("{\"__type\":\"ValidationException\"}");
    }

    [Fact]
    public async Task A_remembered_error_is_classified_by_its_body_too()
    {
        var (classifier, store) = (new Classifier(), new TestStorage());
        using var chain = With(
            classifier, o => o.Idempotency.RememberFor = TimeSpan.FromDays(1),
            s => s.AddSingleton<IIdempotencyStore>(store.IdempotencyKeys));
        chain.Server.Script(Replies.Status(422, "the reason"));

        for (int i = 0; i < 2; i++)
            (await chain.SendAsync(true, Chain.Post().WithIdempotencyKey("k"))).Dispose();

        chain.Server.Requests.ShouldHaveSingleItem();
        classifier.Seen.ShouldBe(["the reason", "the reason"]);
    }

    private static Chain With(
        Classifier classifier, Action<HttpResilienceOptions>? options = null, Action<IServiceCollection>? services = null) =>
        new(o =>
        {
            o.Retry.Delay = TimeSpan.Zero;
            options?.Invoke(o);
        }, services: s =>
        {
            s.AddSingleton<IFailureClassifier>(classifier);
            services?.Invoke(s);
        })
        { Clock = { SkipsWaits = false } };

    private sealed class Classifier : IFailureClassifier
    {
        internal List<string> Seen { get; } = [];

        internal Action? Classifying { get; init; }

        internal bool Throws { get; init; }

        internal bool ThrowsBefore { get; init; }

        public bool ReadsErrorBody
        {
            get => ThrowsBefore ? throw new FormatException("mine") : field;
            init;
        } = true;

        public FailureClassification Classify(
            HttpCall httpCall, HttpResponseMessage? response, Exception? exception, FailureClassification builtIn)
        {
            Classifying?.Invoke();
            var body = response!.GetErrorBody();
            Seen.Add(Encoding.UTF8.GetString(body.Span));
            if (Throws)
                throw new FormatException("mine");
            return body.Span.IndexOf("ThrottlingException"u8) >= 0 ? new(FailureClass.RateLimited) : builtIn;
        }
    }

    private sealed class Resolver(Action<string> sees) : IConflictResolver
    {
        public async ValueTask<bool> ResolveAsync(
            HttpCall httpCall, HttpRequestMessage request, HttpResponseMessage conflict, CancellationToken cancellationToken)
        {
            sees(await conflict.Content.ReadAsStringAsync(cancellationToken));
            return true;
        }
    }
}
