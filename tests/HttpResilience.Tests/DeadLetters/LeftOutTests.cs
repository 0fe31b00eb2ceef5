using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>Secrets of a request are left out of its letter, and listed there; handlers of the client add them again.</summary>
public sealed class LeftOutTests : IDisposable
{
    private const string AddParameters =
        "Add the query parameters that it leaves out by a handler, or they cannot be replayed; or set DeadLetter:Protect";

    private readonly InMemoryStorage _store = new(new ManualTimeProvider());
    private readonly List<ServiceProvider> _services = [];
    private readonly FaultScript _server = new(new ManualTimeProvider());
    private readonly LogCollector _logs = new();

    [Theory]
    [InlineData("https://a.test/x?sig=abc", "https://a.test/x", "?sig")]
    [InlineData("https://a.test/x?a=1&sig=abc&b=2", "https://a.test/x?a=1&b=2", "?sig")]
    [InlineData("https://a.test/x?sig=abc&b=2", "https://a.test/x?b=2", "?sig")]
    [InlineData("https://a.test/x?a=1;token=abc;b=2", "https://a.test/x?a=1;b=2", "?token")]
    [InlineData("https://a.test/x?a=1&api%5Fkey=abc", "https://a.test/x?a=1", "?api_key")]
    [InlineData("https://a.test/x?%73ig=abc", "https://a.test/x", "?sig")]
    [InlineData("https://a.test/x?sig=abc&SIG=def", "https://a.test/x", "?sig")]
    [InlineData("https://a.test/x?user%5Bpassword%5D=abc&a=%41+b", "https://a.test/x?a=%41+b", "?user[password]")]
    [InlineData("https://a.test/x?sv=2024&se=1&sr=b&sig=a%2Fb%3D", "https://a.test/x?sv=2024&se=1&sr=b", "?sig")]
    [InlineData("https://a.test/x?sig=a=b=c&n", "https://a.test/x?n", "?sig")]
    [InlineData("https://a.test/x?sig=&token&a=1", "https://a.test/x?sig=&token&a=1", "")]
    [InlineData("https://a.test/x#access_token=abc", "https://a.test/x", "")]
    [InlineData("https://jane:abc@a.test/x?sig=abc#f", "https://a.test/x", "?sig")]
    [InlineData("https://a.test/x?page=2", "https://a.test/x?page=2", "")]
    [InlineData("https://a.test", "https://a.test/", "")]
    public void Secret_query_parameters_are_left_out_of_the_URI_and_listed(string sent, string kept, string leftOut)
    {
        var names = LeftOutRules.Of(new Uri(sent), [], SecretNames.BuiltIn, keyHeader: null);

        string.Join(' ', names).ShouldBe(leftOut);
        LetterUri.Of(new Uri(sent), names).ShouldBe((new Uri(kept), null));
        LetterUri.Of(new Uri(sent), names).Uri.AbsoluteUri.ShouldNotContain("abc");
    }

    [Fact]
    public void They_are_left_out_of_the_characters_as_they_were_sent()
    {
        var asIs = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        var sent = new Uri("https://a.test/a%2Fb/../%7Ed?x=%7E1&sig=abc", in asIs);

        var (uri, original) = LetterUri.Of(sent, LeftOutRules.Of(sent, [], SecretNames.BuiltIn, keyHeader: null));

        original.ShouldBe("https://a.test/a%2Fb/../%7Ed?x=%7E1");
        uri.AbsoluteUri.ShouldNotContain("abc");
    }

    [Theory]
    [InlineData("X-Copy-Source", "https://b.test/blob?sv=1&sig=abc", true)]
    [InlineData("Destination", "https://jane:abc@b.test/blob", true)]
    [InlineData("X-Custom", "Bearer abcdefghijk", true)]
    [InlineData("X-Custom", "basic amFuZTpodW50ZXI=", true)]
    [InlineData("X-Custom", "Bearer", false)]
    [InlineData("X-Callback", "https://b.test/hook?id=5", false)]
    [InlineData("X-Filter", "{\"password\":\"x\"}", false)]
    public void Values_that_are_credentials_are_left_out_too(string name, string value, bool isLeftOut) =>
        LeftOutRules.Of(null, [new(name, value)], SecretNames.BuiltIn, keyHeader: null).ShouldBe(isLeftOut ? [name] : []);

    [Fact]
    public void The_header_of_the_idempotency_key_is_not_left_out() =>
        LeftOutRules.Of(null, [new("X-Request-Key", "k"), new("X-Api-Key", "k")], SecretNames.BuiltIn, "x-request-key")
            .ShouldBe(["X-Api-Key"]);

    public static TheoryData<string, bool> Sources => new() { { "request", true }, { "inner handler", false }, { "outer handler", false } };

    [Theory, MemberData(nameof(Sources))]
    public async Task A_secret_query_parameter_is_added_again_by_handlers_or_its_letter_is_for_review(string source, bool isLost)
    {
        var services = Open(KeepLetters, client => client, outer: source == "outer handler", inner: source == "inner handler");
        _server.Script(Replies.Status(503));
        var letter = await FailAsync(services, source == "request" ? "https://api.test/x?a=1&sig=S3KR3T" : "https://api.test/x?a=1");

        letter.Uri.AbsoluteUri.ShouldBe("https://api.test/x?a=1");
        letter.LeftOut.ShouldBe(source == "inner handler" ? [] : ["?sig"]);
        letter.SuggestedAction.ShouldBe(isLost ? AddParameters : null);
        _logs.WithId(504).Select(e => (e.Level, e.Message.Contains("parameter sig", StringComparison.Ordinal)))
            .ShouldBe(isLost ? [(LogLevel.Warning, true)] : []);

        _server.Script(Replies.Status(201));
        var after = await SendAsync(services, letter);

        after.Status.ShouldBe(isLost ? DeadLetterStatus.RequiresReview : DeadLetterStatus.Replayed);
        _server.Requests.Select(r => r.Uri.Query).ShouldBe(Enumerable.Repeat("?a=1&sig=S3KR3T", isLost ? 1 : 2));
    }

    [Fact]
    public async Task The_warning_about_a_query_parameter_comes_once()
    {
        var services = Open(KeepLetters, client => client);
        for (int i = 0; i < 3; i++)
        {
            _server.Script(Replies.Status(201));
            using var response = await ClientOf(services).PostAsync("https://api.test/x?token=abc", null, Token);
        }

        _logs.WithId(504).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("X-Session-Id")]
    [InlineData("CB-ACCESS-PASSPHRASE")]
    [InlineData("X-Honeycomb-Team")]
    [InlineData("Authorization")]
    [InlineData("X-Own-Secret-By-Option")]
    public async Task A_header_that_no_handler_adds_any_more_is_not_missing_from_a_replay(string header)
    {
        static void Configure(HttpResilienceOptions options)
        {
            KeepLetters(options);
            options.DeadLetter.SecretHeaders = ["X-Own-Secret-By-Option"];
        }

        IHttpClientBuilder Add(IHttpClientBuilder client, string value) =>
            client.ConfigureHttpClient(c => c.DefaultRequestHeaders.TryAddWithoutValidation(header, value));

        var before = Open(Configure, client => Add(client, "S3KR3T"));
        _server.Script(Replies.Status(503));
        var letter = await FailAsync(before, "https://api.test/x");
        letter.LeftOut.ShouldBe([header]);
        letter.Headers.ShouldNotContain(h => h.Value.Contains("S3KR3T"));
        letter.Status.ShouldBe(DeadLetterStatus.Pending);

        var without = Open(Configure, client => client);
        var after = await SendAsync(without, letter);
        (after.Status, after.SuggestedAction).ShouldBe((DeadLetterStatus.RequiresReview, DeadLetterDecision.SetCredentials));
        (after.Replays, after.Attempts).ShouldBe((0, letter.Attempts));
        _server.Requests.Count.ShouldBe(1);

        var again = Open(Configure, client => Add(client, "NEW"));
        _server.Script(Replies.Status(201));
        (await SendAsync(again, after)).Status.ShouldBe(DeadLetterStatus.Replayed);
        _server.Requests[^1].Headers[header].ShouldBe("NEW");
    }

    [Fact]
    public async Task A_handler_that_swallows_the_refusal_does_not_make_the_letter_sent()
    {
        var before = Open(KeepLetters, client => client.ConfigureHttpClient(c => c.DefaultRequestHeaders.Add("X-Api-Key", "S3KR3T")));
        _server.Script(Replies.Status(503));
        var letter = await FailAsync(before, "https://api.test/x");

        var after = await SendAsync(Open(KeepLetters, client => client.AddHttpMessageHandler(() => new Swallows())), letter);

        after.Status.ShouldBe(DeadLetterStatus.RequiresReview);
        _server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_handler_that_sends_a_copy_does_not_get_around_the_check()
    {
        var before = Open(KeepLetters, client => client.ConfigureHttpClient(c => c.DefaultRequestHeaders.Add("X-Api-Key", "S3KR3T")));
        _server.Script(Replies.Status(503));
        var letter = await FailAsync(before, "https://api.test/x");

        var after = await SendAsync(Open(KeepLetters, client => client.AddHttpMessageHandler(() => new Copies())), letter);

        after.Status.ShouldBe(DeadLetterStatus.RequiresReview);
        _server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_factory_of_the_application_makes_no_second_pipeline_so_only_default_headers_are_known_to_be_added()
    {
        var before = Open(KeepLetters, client => client.ConfigureHttpClient(c => c.DefaultRequestHeaders.Add("X-Api-Key", "S3KR3T")));
        _server.Script(Replies.Status(503));
        var letter = await FailAsync(before, "https://api.test/x");

        ServiceProvider OpenOwn(string? apiKey)
        {
            var services = new ServiceCollection();
            services.AddLogging().AddHttpResilienceStorage(s => s.UseInMemory(_store));
            services.AddSingleton<IHttpClientFactory>(provider => new OwnFactory(provider, apiKey));
            services.AddHttpClient("api").AddResilience(KeepLetters).ConfigurePrimaryHttpMessageHandler(() => _server);
            _services.Add(services.BuildServiceProvider());
            return _services[^1];
        }

        var after = await SendAsync(OpenOwn(apiKey: null), letter);
        (after.Status, after.SuggestedAction).ShouldBe((DeadLetterStatus.RequiresReview, DeadLetterDecision.SetCredentials));
        _server.Requests.Count.ShouldBe(1);

        _server.Script(Replies.Status(201));
        (await SendAsync(OpenOwn("NEW"), letter)).Status.ShouldBe(DeadLetterStatus.Replayed);
        _server.Requests[^1].Headers["X-Api-Key"].ShouldBe("NEW");
    }

    [Fact]
    public async Task Cookies_of_the_primary_handler_count_as_added()
    {
        var cookies = new CookieContainer();
        cookies.Add(new Uri("https://api.test/"), new Cookie("sid", "1"));
        using var withCookies = new ReplayCompletenessHandler("api")
        {
            InnerHandler = new Outer { InnerHandler = new SocketsHttpHandler { CookieContainer = cookies } },
        };
        using var without = new ReplayCompletenessHandler("api") { InnerHandler = new Outer { InnerHandler = new SocketsHttpHandler() } };

        (await MissingAsync(withCookies)).ShouldBeNull();
        (await MissingAsync(without)).ShouldBe("Cookie");
    }

    private static async Task<string?> MissingAsync(HttpMessageHandler handler)
    {
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://api.test/x");
        var replay = new ReplayedCall(Guid.NewGuid(), default, false, false) { LeftOut = ["Cookie"] };
        request.Options.Set(ReplayedCall.Key, replay);
        // The inner handler ends it before anything is sent.
        await Should.ThrowAsync<Exception>(() => invoker.SendAsync(request, Token));
        return replay.Missing;
    }

    [Fact]
    public async Task A_token_request_of_a_handler_is_not_checked_on_a_replay()
    {
        static IHttpClientBuilder WithToken(IHttpClientBuilder client) => client.AddHttpMessageHandler(() => new GetsToken());
        var services = Open(KeepLetters, WithToken, outer: true);
        _server.Script(Replies.Status(200), Replies.Status(503));
        var letter = await FailAsync(services, "https://api.test/x");

        _server.Script(Replies.Status(200), Replies.Status(201));
        (await SendAsync(services, letter)).Status.ShouldBe(DeadLetterStatus.Replayed);
    }

    [Fact]
    public async Task A_letter_without_left_out_parts_from_an_earlier_version_is_replayed_as_before()
    {
        var services = Open(KeepLetters, client => client);
        _server.Script(Replies.Status(503));
        var letter = await FailAsync(services, "https://api.test/x");
        letter = letter with { Id = Guid.CreateVersion7(), Uri = new("https://api.test/x?sig=abc") };
        await _store.DeadLetters.AddAsync(letter, Token);

        _server.Script(Replies.Status(201));
        (await SendAsync(services, letter)).Status.ShouldBe(DeadLetterStatus.Replayed);
        _server.Requests[^1].Uri.Query.ShouldBe("?sig=abc");
    }

    [Fact]
    public async Task A_corrected_letter_is_stored_without_the_secrets_that_the_correction_has()
    {
        var services = Open(KeepLetters, client => client);
        _server.Script(Replies.Status(400));
        var letter = await FailAsync(services, "https://api.test/x");

        var corrected = await Review(services).ResubmitAsync(
            letter.Id,
            l => l with
            {
                Uri = new("https://api.test/y?a=1&token=S3KR3T"),
                Headers = [.. l.Headers, new("Authorization", "Bearer S3KR3T")],
            },
            "alice", Token);

        corrected.Uri.AbsoluteUri.ShouldBe("https://api.test/y?a=1");
        corrected.Headers.ShouldNotContain(h => h.Key == "Authorization");
        corrected.LeftOut.ShouldBe(["Authorization", "?token"], ignoreOrder: true);
    }

    [Fact]
    public async Task An_allowed_name_is_stored_as_before()
    {
        var services = Open(
            options =>
            {
                KeepLetters(options);
                options.DeadLetter.SecretHeaders = ["!X-Sort-Token"];
                options.DeadLetter.SecretQueryParameters = ["!code", "member"];
            },
            client => client);
        _server.Script(Replies.Status(503));
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://api.test/x?code=EUR&member=5");
        request.Headers.Add("X-Sort-Token", "name");
        using var response = await ClientOf(services).SendAsync(request, Token);

        var letter = await FindAsync(services);
        letter.Uri.Query.ShouldBe("?code=EUR");
        letter.LeftOut.ShouldBe(["?member"]);
        letter.Headers.ShouldContain(new KeyValuePair<string, string>("X-Sort-Token", "name"));
    }

    [Fact]
    public async Task A_protected_letter_keeps_the_parameters_that_only_the_request_had_and_no_secret_header()
    {
        static void Protect(HttpResilienceOptions options)
        {
            KeepLetters(options);
            options.DeadLetter.Protect = true;
        }

        var services = Open(Protect, client => client.ConfigureHttpClient(c => c.DefaultRequestHeaders.Add("X-Api-Key", "OF-CLIENT")));
        _server.Script(Replies.Status(503));
        var letter = await FailAsync(services, "https://api.test/x?a=1&sig=S3KR3T");
        letter.LeftOut.ShouldBe(["X-Api-Key"]);
        (letter.Uri.Query, letter.Status).ShouldBe(("?a=1&sig=S3KR3T", DeadLetterStatus.Pending));
        _logs.WithId(503).Concat(_logs.WithId(504)).ShouldBeEmpty();

        _server.Script(Replies.Status(201));
        (await SendAsync(services, letter)).Status.ShouldBe(DeadLetterStatus.Replayed);
        var sent = _server.Requests[^1];
        (sent.Uri.Query, sent.Headers["X-Api-Key"]).ShouldBe(("?a=1&sig=S3KR3T", "OF-CLIENT"));

        // A secret header is not stored, not even protected.
        _server.Script(Replies.Status(503));
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://api.test/y");
        request.Headers.Add("X-Session-Id", "S3KR3T");
        using var response = await ClientOf(services).SendAsync(request, Token);
        var second = (await Review(services).FindAsync(response.GetHttpCall()!.DeadLetterId!.Value, Token))!;
        (second.Status, second.LeftOut.Contains("X-Session-Id"), _logs.WithId(503).Count).ShouldBe(
            (DeadLetterStatus.RequiresReview, true, 1));
        second.Headers.ShouldNotContain(h => h.Key == "X-Session-Id");
    }

    [Fact]
    public async Task A_remembered_call_is_replayed_although_its_letter_leaves_out_a_parameter()
    {
        var services = Open(
            options =>
            {
                KeepLetters(options);
                options.Idempotency.RememberFor = TimeSpan.FromDays(1);
            },
            client => client, outer: true);
        _server.Script(Replies.Status(500));
        var letter = await FailAsync(services, "https://api.test/x");
        letter.LeftOut.ShouldBe(["?sig"]);

        _server.Script(Replies.Status(201));
        var after = await SendAsync(services, letter);

        after.Status.ShouldBe(DeadLetterStatus.Replayed, after.ErrorTitle);
    }

    public void Dispose()
    {
        _services.ForEach(s => s.Dispose());
        _server.Dispose();
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static void KeepLetters(HttpResilienceOptions options) =>
        (options.DeadLetter.Enabled, options.Retry.MaxRetryAttempts) = (true, 0);

    private ServiceProvider Open(
        Action<HttpResilienceOptions> options, Func<IHttpClientBuilder, IHttpClientBuilder> configure, bool outer = false,
        bool inner = false)
    {
        var services = new ServiceCollection();
        services.AddLogging(l => l.SetMinimumLevel(LogLevel.Trace).AddProvider(_logs));
        services.AddHttpResilienceStorage(s => s.UseInMemory(_store)).AddSingleton<ILetterProtector>(new NoProtector());
        var builder = services.AddHttpClient("api").ConfigureHttpClient(c => c.BaseAddress = new("https://api.test/"));
        if (outer)
            builder.AddHttpMessageHandler(() => new AddsSignature());
        builder.AddResilience(options);
        if (inner)
            builder.AddHttpMessageHandler(() => new AddsSignature());
        configure(builder).ConfigurePrimaryHttpMessageHandler(() => _server);
        _services.Add(services.BuildServiceProvider());
        return _services[^1];
    }

    private static HttpClient ClientOf(IServiceProvider services) => services.GetRequiredService<IHttpClientFactory>().CreateClient("api");

    private static IDeadLetterReview Review(IServiceProvider services) => services.GetRequiredService<IDeadLetterReview>();

    private static async Task<DeadLetter> FailAsync(IServiceProvider services, string uri)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, uri);
        using var response = await ClientOf(services).SendAsync(request, Token);
        return await FindAsync(services);
    }

    private static async Task<DeadLetter> FindAsync(IServiceProvider services) =>
        (await Review(services).ListAsync(new(), Token)).ShouldHaveSingleItem();

    private static Task<DeadLetter> SendAsync(IServiceProvider services, DeadLetter letter) =>
        Review(services).SendAsync(letter.Id, "alice", Token);

    private sealed class NoProtector : ILetterProtector
    {
        public string? Problem => null;

        public byte[] Protect(ReadOnlySpan<byte> data, string purpose, out string keyId)
        {
            keyId = "k";
            return data.ToArray();
        }

        public byte[] Unprotect(ReadOnlySpan<byte> data, string purpose, string keyId) => data.ToArray();

        public bool HasKey(string keyId) => true;
    }

    private sealed class Outer : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("Not sent.");
    }

    private sealed class OwnFactory(IServiceProvider services, string? apiKey) : IHttpClientFactory
    {
        public HttpClient CreateClient(string name)
        {
            var handler = services.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(name);
            var client = new HttpClient(handler, disposeHandler: false) { BaseAddress = new("https://api.test/") };
            if (apiKey is not null)
                client.DefaultRequestHeaders.Add("X-Api-Key", apiKey);
            return client;
        }
    }

    private sealed class AddsSignature : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var uri = request.RequestUri!;
            if (!uri.Query.Contains("sig=", StringComparison.Ordinal))
                request.RequestUri = new UriBuilder(uri) { Query = $"{uri.Query}{(uri.Query.Length == 0 ? "?" : "&")}sig=S3KR3T" }.Uri;
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class Swallows : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return await base.SendAsync(request, cancellationToken);
            }
            catch (NotSupportedException)
            {
                return new(HttpStatusCode.OK) { RequestMessage = request };
            }
        }
    }

    private sealed class Copies : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            base.SendAsync(new(request.Method, request.RequestUri) { Content = request.Content }, cancellationToken);
    }

    private sealed class GetsToken : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var token = new HttpRequestMessage(HttpMethod.Get, "https://api.test/token");
            using var response = await base.SendAsync(token, cancellationToken);
            return await base.SendAsync(request, cancellationToken);
        }
    }
}
