using System.IO.Compression;
using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests;

/// <summary>A classifier reads the beginning of error bodies as they come from a socket.</summary>
public sealed class ErrorBodyClassifierTests
{
    private const string Head = "HTTP/1.1 400 Bad Request\r\n";
    private const string Throttled = "{\"__type\":\"ThrottlingException\"}";

    public static TheoryData<string, Mode> Bodies => [.. Framed.Keys.SelectMany(c => new[] { (c, Mode.Async), (c, Mode.Sync) })];

    private static readonly Dictionary<string, string> Framed = new()
    {
        ["with a length"] = Head + "Content-Length: 32\r\n\r\n" + Throttled,
        ["chunked"] = Head + "Transfer-Encoding: chunked\r\n\r\n"
            + "10\r\n" + Throttled[..16] + "\r\n10\r\n" + Throttled[16..] + "\r\n0\r\n\r\n",
        ["with trailers"] = Head + "Transfer-Encoding: chunked\r\n\r\n20\r\n" + Throttled + "\r\n0\r\nX-Error: late\r\n\r\n",
        ["compressed"] = Head + $"Content-Encoding: gzip\r\nContent-Length: {Zipped.Length}\r\n\r\n{Zipped}",
        ["up to the end of the connection"] = Head + "Connection: close\r\n\r\n" + Throttled,
    };

    private static string Zipped
    {
        get
        {
            using var zipped = new MemoryStream();
            using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest))
                gzip.Write(Encoding.ASCII.GetBytes(Throttled));
            return Encoding.Latin1.GetString(zipped.ToArray());
        }
    }

    [Theory, MemberData(nameof(Bodies))]
    public async Task A_throttling_body_is_retried_and_the_last_one_reaches_the_caller(string framing, Mode mode)
    {
        bool closes = framing.StartsWith("up to", StringComparison.Ordinal);
        var step = closes ? Raw.AnswerAndClose(Framed[framing]) : Raw.Answer(Framed[framing]);
        await using var server = new RawServer(step);
        var classifier = new Classifier();
        await using var client = ClientOf(server, classifier, o => o.Retry.MaxRetryAttempts = 1);

        using var response = await client.Client.SendAsync(mode, Sending.Get(), HttpCompletionOption.ResponseHeadersRead);

        response.GetHttpCall()!.Attempts.Select(a => a.FailureClass).ShouldBe([FailureClass.RateLimited, FailureClass.RateLimited]);
        (await response.TextAsync()).ShouldBe(Throttled);
        classifier.Seen.ShouldBe([Throttled, Throttled]);
        if (framing == "with trailers")
            classifier.Trailer.ShouldBe("late");
        if (!closes)
            server.Connections.ShouldBe(1);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_body_that_is_not_decompressed_is_seen_as_it_came(Mode mode)
    {
        await using var server = new RawServer(Raw.Answer(Framed["compressed"]));
        var classifier = new Classifier();
        await using var client = ClientOf(server, classifier, sockets: s => s.AutomaticDecompression = DecompressionMethods.None);

        using var response = await client.Client.SendAsync(mode, Sending.Get());

        classifier.Seen.Single().Length.ShouldBe(Zipped.Length);
        (await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length.ShouldBe(Zipped.Length);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_failed_head_request_has_no_body(Mode mode)
    {
        await using var server = new RawServer(Raw.Answer(Head + "Content-Length: 100\r\n\r\n"));
        var classifier = new Classifier();
        await using var client = ClientOf(server, classifier);

        using var response = await client.Client.SendAsync(mode, new HttpRequestMessage(HttpMethod.Head, "/"));

        (classifier.Seen.Single(), (int)response.StatusCode, response.Content.Headers.ContentLength).ShouldBe(("", 400, 100));
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_204_has_no_body(Mode mode)
    {
        await using var server = new RawServer(Raw.Answer("HTTP/1.1 204 No Content\r\n\r\n"));
        var classifier = new Classifier();
        await using var client = ClientOf(server, classifier);

        using var response = await client.Client.SendAsync(mode, Sending.Get());

        (classifier.Seen.Single(), (int)response.StatusCode).ShouldBe(("", 204));
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_body_that_stalls_neither_hangs_the_call_nor_takes_its_beginning(Mode mode)
    {
        await using var server = new RawServer(Raw.AnswerAndStall(Head + "Content-Length: 100\r\n\r\nthe begin"));
        var classifier = new Classifier();
        await using var client = ClientOf(server, classifier, o => o.AttemptTimeout.Timeout = TimeSpan.FromSeconds(1));

        using var response = await client.Client.SendAsync(mode, Sending.Get(), HttpCompletionOption.ResponseHeadersRead);

        ((int)response.StatusCode, response.GetHttpCall()!.StopReason).ShouldBe((400, StopReason.NotRetryable));
        classifier.Seen.ShouldBe(["the begin"]);
        var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        byte[] begin = new byte[9];
        await stream.ReadExactlyAsync(begin, TestContext.Current.CancellationToken);
        Encoding.ASCII.GetString(begin).ShouldBe("the begin");
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_body_that_breaks_off_is_classified_by_its_beginning(Mode mode)
    {
        await using var server = new RawServer(Raw.AnswerAndClose(Head + "Content-Length: 100\r\n\r\n" + Throttled), Raw.Ok);
        await using var client = ClientOf(server, new Classifier());

        using var response = await client.Client.SendAsync(mode, Sending.Get());

        response.ShouldHaveSucceeded(attempts: 2);
    }

    [Fact]
    public async Task A_hedged_error_body_is_seen_and_stays_readable()
    {
        await using var server = new RawServer(Raw.Answer(Framed["chunked"]), Raw.Answer(Framed["with a length"]), Raw.Ok);
        await using var client = ClientOf(server, new Classifier(), o => o.Hedging.Enabled = true);

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Get(), HttpCompletionOption.ResponseHeadersRead);

        (await response.TextAsync()).ShouldBe("ok");
        response.GetHttpCall()!.Attempts.Select(a => a.FailureClass).ShouldBe(
            [FailureClass.RateLimited, FailureClass.RateLimited, FailureClass.None]);
    }

    private static ResilientClientUnderTest ClientOf(
        RawServer server, Classifier classifier, Action<HttpResilienceOptions>? configure = null,
        Action<SocketsHttpHandler>? sockets = null) => new(
        server.Uri, configure, s =>
        {
            s.AutomaticDecompression = DecompressionMethods.All;
            sockets?.Invoke(s);
        }, b => b.Services.AddSingleton<IFailureClassifier>(classifier));

    private sealed class Classifier : IFailureClassifier
    {
        internal List<string> Seen { get; } = [];

        internal string? Trailer { get; private set; }

        public bool ReadsErrorBody => true;

        public FailureClassification Classify(
            HttpCall httpCall, HttpResponseMessage? response, Exception? exception, FailureClassification builtIn)
        {
            if (response is null)
                return builtIn;
            string body = Encoding.Latin1.GetString(response.GetErrorBody().Span);
            Seen.Add(body);
            Trailer = response.TrailingHeaders.NonValidated.TryGetValues("X-Error", out var values) ? values.ToString() : null;
            return body.Contains("ThrottlingException", StringComparison.Ordinal) ? new(FailureClass.RateLimited) : builtIn;
        }
    }
}
