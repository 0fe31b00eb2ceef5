using System.Net;
using System.Text;
using HttpResilience.Tests.Http;
using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.RequestLogging;

/// <summary>
/// Every text of a server passes one gate, wherever it goes: a server that echoes the key of a request does not bring it into a log line, a
/// letter, a batch report or a stored response.
/// </summary>
public sealed class ServerTextTests : IDisposable
{
    private const string Secret = "SEKRETKEY123";

    private readonly TestStorage _store = new();
    private readonly List<Chain> _chains = [];

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_reason_phrase_is_scrubbed_in_the_letter_and_the_log(bool async)
    {
        var chain = Open(_ => Answer(400, "", $"Bad key {Secret}"));

        using var response = await chain.SendAsync(async, Request());

        _store.Letter.ErrorTitle.ShouldBe("Bad key ***");
        NothingIsTold(chain);
    }

    [Fact]
    public async Task A_letter_that_is_lost_is_logged_without_the_secret_and_on_one_line()
    {
        var chain = Open(_ => Answer(400, "", $"Bad key {Secret}"));
        _store.Fails = new HttpResilienceStorageException("gone");

        using var response = await chain.SendAsync(true, Request().WithTenant("a\r\nb\u202ec"));

        var lost = chain.Logs.WithId(501).ShouldHaveSingleItem();
        lost.Message.ShouldContain("Bad key ***");
        lost.Message.ShouldContain("tenant a  bc");
        NothingIsTold(chain);
    }

    [Fact]
    public async Task Title_and_detail_of_a_problem_are_scrubbed()
    {
        var chain = Open(_ => Answer(422, $"{{\"title\":\"Bad {Secret}\",\"detail\":\"password=hunter22, key {Secret}\"}}"));

        using var response = await chain.SendAsync(true, Request());

        (_store.Letter.ErrorTitle, _store.Letter.ErrorDetail).ShouldBe(("Bad ***", "password=***, key ***"));
        chain.Logs.Call["ErrorBody"].ShouldBe("Bad ***: password=***, key ***");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_secret_of_the_body_that_is_written_once_is_not_echoed_into_the_log(bool logged)
    {
        var chain = Open(_ => Answer(400, "cannot take hunter22", contentType: "text/plain"));
        var request = Request();
        request.Content = new PushedContent(
            (stream, token) => stream.WriteAsync(Encoding.UTF8.GetBytes("{\"password\":\"hunter22\"}"), token).AsTask());
        request.Content.Headers.ContentType = new("application/json");

        using var response = await chain.SendAsync(true, request);

        (logged ? (string?)chain.Logs.Call["ErrorBody"] : _store.Letter.ErrorTitle).ShouldBe("cannot take ***");
    }

    [Fact]
    public async Task An_exception_with_a_secret_is_scrubbed_in_the_letter_and_the_log()
    {
        var chain = Open(_ => throw new HttpRequestException($"The proxy said: bad key {Secret}"));

        await Should.ThrowAsync<HttpRequestException>(() => chain.SendAsync(true, Request()));

        _store.Letter.ErrorTitle.ShouldBe("The proxy said: bad key ***");
        NothingIsTold(chain);
    }

    [Fact]
    public async Task A_header_of_the_response_that_is_logged_is_scrubbed()
    {
        var chain = Open(_ =>
        {
            var response = Answer(429, "");
            response.Headers.TryAddWithoutValidation("Retry-After", $"after {Secret}");
            return response;
        });

        using var response = await chain.SendAsync(true, Request());

        chain.Logs.WithId(410).ShouldNotBeEmpty();
        NothingIsTold(chain);
    }

    [Fact]
    public async Task The_exception_of_a_classifier_is_logged_without_the_secret()
    {
        var chain = Open(
            _ => Answer(400, ""), services => services.AddSingleton<IFailureClassifier>(new Fails()));

        using var response = await chain.SendAsync(true, Request());

        chain.Logs.WithId(407).ShouldNotBeEmpty();
        NothingIsTold(chain);
    }

    [Theory, InlineData(400), InlineData(307)]
    public async Task A_batch_reports_no_secret_in_an_exception_that_the_application_made_of_a_response(int status)
    {
        var chain = Open(_ => Answer(status, "", $"Bad key {Secret}"), options: o => o.DeadLetter.Enabled = false);

        var report = await IsolatedBatch.RunAsync(
            [1], async (_, token) =>
            {
                using var request = Request();
                using var response = await chain.Client.SendAsync(request, token);
                response.EnsureSuccessStatusCode();
            }, cancellationToken: TestContext.Current.CancellationToken);

        report.Failures.ShouldHaveSingleItem().Error.ShouldContain("(Bad key ***)");
    }

    [Fact]
    public async Task A_remembered_response_has_no_echo_in_its_reason_phrase_and_its_fields()
    {
        var chain = Open(
            _ =>
            {
                var response = Answer(201, "made", $"Made for {Secret}");
                response.Headers.TryAddWithoutValidation("X-Debug", $"key={Secret}");
                response.Headers.TryAddWithoutValidation("X-Order", "5");
                return response;
            },
            options: o => o.Idempotency.RememberFor = TimeSpan.FromDays(1));

        using var first = await chain.SendAsync(true, Request().WithIdempotencyKey("k1"));
        using var second = await chain.SendAsync(true, Request().WithIdempotencyKey("k1"));

        second.GetHttpCall()!.IsReplayed.ShouldBeTrue();
        (first.ReasonPhrase, second.ReasonPhrase).ShouldBe(($"Made for {Secret}", "Made for ***"));
        second.Headers.Contains("X-Debug").ShouldBeFalse();
        second.Headers.GetValues("X-Order").ShouldBe(["5"]);
    }

    [Fact]
    public async Task A_handler_outside_the_chain_that_fails_during_a_replay_is_logged_without_the_secret()
    {
        var chain = Open(_ => Answer(503, ""), options: o => o.Retry.MaxRetryAttempts = 0);
        using (await chain.SendAsync(true, Request()))
        {
        }

        var failing = new ServiceCollection();
        failing.AddLogging(l => l.SetMinimumLevel(LogLevel.Trace).AddProvider(chain.Logs));
        failing.AddHttpResilienceStorage(s => s.UseInMemory(_store.Storage));
        failing.AddHttpClient("api").ConfigureHttpClient(c => c.BaseAddress = new("https://api.test/"))
            .AddHttpMessageHandler(() => new FailsOutside()).AddResilience(o => o.DeadLetter.Enabled = true)
            .ConfigurePrimaryHttpMessageHandler(() => new Answers(_ => Answer(200, "")));
        await using var services = failing.BuildServiceProvider();
        await services.GetRequiredService<IDeadLetterReview>().SendAsync(
            _store.Letter.Id, "alice", TestContext.Current.CancellationToken);

        chain.Logs.WithId(515).ShouldHaveSingleItem().Exception!.ToString().ShouldContain("(Bad key ***)");
        NothingIsTold(chain);
    }

    public void Dispose() => _chains.ForEach(c => c.Dispose());

    private static HttpRequestMessage Request()
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "https://api.test/x") { Content = new StringContent("invoice") };
        request.Headers.Add("X-Api-Key", Secret);
        return request;
    }

    private static HttpResponseMessage Answer(
        int status, string body, string? reason = null, string contentType = "application/json") => new()
        {
            StatusCode = (HttpStatusCode)status,
            ReasonPhrase = reason,
            Content = new StringContent(body, Encoding.UTF8, contentType),
        };

    private static void NothingIsTold(Chain chain)
    {
        foreach (var entry in chain.Logs.Entries)
            entry.Everything.ShouldNotContain(Secret);
    }

    private Chain Open(
        Func<HttpRequestMessage, HttpResponseMessage> answer, Action<IServiceCollection>? services = null,
        Action<HttpResilienceOptions>? options = null)
    {
        var chain = new Chain(
            o =>
            {
                o.DeadLetter.Enabled = true;
                options?.Invoke(o);
            },
            client => client.ConfigurePrimaryHttpMessageHandler(() => new Answers(answer)),
            s =>
            {
                s.AddHttpResilienceStorage(storage => storage.UseInMemory(_store.Storage));
                services?.Invoke(s);
            });
        _chains.Add(chain);
        return chain;
    }

    private sealed class Answers(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Content?.CopyTo(Stream.Null, null, cancellationToken);
            var response = answer(request);
            response.RequestMessage = request;
            return response;
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Content is { } content)
                await content.CopyToAsync(Stream.Null, cancellationToken);
            var response = answer(request);
            response.RequestMessage = request;
            return response;
        }
    }

    private sealed class FailsOutside : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Add("X-Api-Key", Secret);
            throw new InvalidOperationException("outer", new HttpRequestException($"400 (Bad key {Secret})"));
        }
    }

    private sealed class Fails : IFailureClassifier
    {
        public FailureClassification Classify(
            HttpCall call, HttpResponseMessage? response, Exception? exception, FailureClassification builtIn) =>
            throw new InvalidOperationException($"cannot parse {response?.RequestMessage?.Headers.GetValues("X-Api-Key").First()}");
    }
}
