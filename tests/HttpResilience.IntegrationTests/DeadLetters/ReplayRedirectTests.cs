using HttpResilience.IntegrationTests.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;

namespace HttpResilience.IntegrationTests.DeadLetters;

/// <summary>A replay whose API answers with a redirect, through real sockets.</summary>
public sealed class ReplayRedirectTests : IAsyncLifetime
{
    private const string CheckHost =
        "Check its destination; if that is right, add the host to DeadLetter:AllowedAuthorities and replay it";

    private const string CheckTarget = "Check where the redirect leads and whether it was processed; then resolve it, or replay it";

    // Shared by all clients of a program that does not use the factory's handlers.
    private static readonly SocketsHttpHandler Shared = new() { UseProxy = false };

    private readonly InMemoryTestDatabase _database = new();

    public enum Primary
    {
        Default,
        Sockets,
        HttpClientHandler,
        Derived,
        BelowHandlers,
        OfDefaults,
        Configured,
        WithoutFilters,
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Theory, InlineData(307), InlineData(308), InlineData(301), InlineData(302), InlineData(303)]
    public async Task A_foreign_host_gets_nothing(int status)
    {
        await using var foreign = await KestrelServer.StartAsync(Reply.Ok());
        await using var server = await KestrelServer.StartAsync(To(foreign.Uri, status));
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri);

        var after = await ReplayAsync(process, server);

        foreign.Count.ShouldBe(0);
        (after.Status, after.StatusCode, after.Replays).ShouldBe((DeadLetterStatus.RequiresReview, status, 1));
        after.SuggestedAction.ShouldBe(status is 307 or 308 ? CheckHost : CheckTarget);
        after.ErrorTitle.ShouldBe($"Redirected to {foreign.Uri.ToString().TrimEnd('/')}");
    }

    [Theory, InlineData("//{0}/x"), InlineData("http://user:pw@{0}/x"), InlineData("https://{1}/x"), InlineData("http://localhost:{2}/x")]
    public async Task Another_way_to_name_another_host_is_foreign(string location)
    {
        await using var foreign = await KestrelServer.StartAsync(Reply.Ok());
        await using var server = await KestrelServer.StartAsync(context =>
        {
            var other = foreign.Uri;
            string target = string.Format(null, location, other.Authority, context.Request.Host.Value, context.Request.Host.Port);
            return Reply.With(307, "", ("Location", target))(context);
        });
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri);

        var after = await ReplayAsync(process, server);

        (foreign.Count, server.Count).ShouldBe((0, 1));
        (after.Status, after.SuggestedAction).ShouldBe((DeadLetterStatus.RequiresReview, CheckHost));
    }

    [Theory, InlineData(307), InlineData(308)]
    public async Task The_same_request_follows_on_its_own_host(int status)
    {
        await using var server = await KestrelServer.StartAsync(To("/v2/invoices", status), Reply.With(201));
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri);

        var after = await ReplayAsync(process, server);

        (after.Status, after.Attempts, after.Replays, after.StatusCode).ShouldBe((DeadLetterStatus.Replayed, 2, 1, 201));
        server.Requests.Select(r => (r.Method, r.Target, r.Text, r.Key, r.Headers["X-Api-Key"])).ShouldBe(
        [
            ("POST", "/invoices", "invoice 1", "key-1", "secret-of-the-client"),
            ("POST", "/v2/invoices", "invoice 1", "key-1", "secret-of-the-client"),
        ]);
    }

    [Fact]
    public async Task An_allowed_host_gets_the_same_request()
    {
        await using var allowed = await KestrelServer.StartAsync(Reply.With(201));
        await using var server = await KestrelServer.StartAsync(To(new Uri(allowed.Uri, "moved?x=1"), 307));
        await using var process = await ReplayProcess.StartAsync(
            _database, server.Uri, o => o.DeadLetter.AllowedAuthorities = [allowed.Uri.ToString()]);

        var after = await ReplayAsync(process, server);

        after.Status.ShouldBe(DeadLetterStatus.Replayed);
        var request = allowed.Requests.ShouldHaveSingleItem();
        (request.Method, request.Target, request.Text, request.Key).ShouldBe(("POST", "/moved?x=1", "invoice 1", "key-1"));
    }

    [Theory, InlineData(UnsafeMethods.WhenKeyed), InlineData(UnsafeMethods.Never)]
    public async Task A_remembered_call_follows_too(UnsafeMethods methods)
    {
        await using var server = await KestrelServer.StartAsync(To("/v2/invoices", 307), Reply.With(201));
        await using var process = await ReplayProcess.StartAsync(
            _database, server.Uri, o => (o.Idempotency.RememberFor, o.Retry.UnsafeMethods) = (TimeSpan.FromHours(1), methods));

        var after = await ReplayAsync(process, server);
        using var again = await process.Http.SendAsync(
            new HttpRequestMessage(HttpMethod.Post, "invoices") { Content = new StringContent("invoice 1") }.WithIdempotencyKey("key-1"),
            TestContext.Current.CancellationToken);

        (after.Status, after.MayHaveBeenProcessed, server.Count).ShouldBe((DeadLetterStatus.Replayed, false, 2));
        (((int)again.StatusCode), again.GetHttpCall()!.IsReplayed).ShouldBe((201, true));
    }

    [Theory, InlineData("POST", false, 1), InlineData("POST", true, 1), InlineData("PATCH", false, 1), InlineData("POST", true, 3)]
    public async Task A_letter_without_a_key_follows_under_the_key_that_its_first_request_got(string method, bool quoted, int redirects)
    {
        await using var server = await KestrelServer.StartAsync(
            [.. Enumerable.Range(0, redirects).Select(i => To($"/v{i}", 307)), Reply.With(201)]);
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri, o => o.Idempotency.Quoted = quoted);

        var after = await ReplayAsync(process, server, letter => letter with { Method = method, IdempotencyKey = null });

        (after.Status, after.IdempotencyKey, server.Count).ShouldBe((DeadLetterStatus.Replayed, null, redirects + 1));
        server.Requests.Select(r => r.Key).Distinct().ShouldHaveSingleItem().ShouldNotBeNull().StartsWith('"').ShouldBe(quoted);
    }

    [Fact]
    public async Task Three_redirects_are_followed_and_the_fourth_is_for_review()
    {
        var next = To("/next", 307);
        await using var three = await KestrelServer.StartAsync(next, next, next, Reply.With(201));
        await using var four = await KestrelServer.StartAsync(next);
        await using var process = await ReplayProcess.StartAsync(
            _database, three.Uri, o => o.DeadLetter.AllowedAuthorities = [four.Uri.ToString()]);

        (await ReplayAsync(process, three)).Status.ShouldBe(DeadLetterStatus.Replayed);
        var after = await ReplayAsync(process, four);

        (after.Status, after.SuggestedAction, after.Attempts).ShouldBe(
            (DeadLetterStatus.RequiresReview, "Check where its redirects lead, then replay it", 4));
        four.Count.ShouldBe(4);
    }

    [Theory, InlineData(300), InlineData(301), InlineData(302), InlineData(303), InlineData(304), InlineData(305)]
    public async Task A_login_page_is_not_fetched(int status)
    {
        await using var server = await KestrelServer.StartAsync(To("/login", status), Reply.Ok("log in"));
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri);

        var after = await ReplayAsync(process, server);

        server.Count.ShouldBe(1);
        (after.Status, after.SuggestedAction, after.MayHaveBeenProcessed).ShouldBe(
            (DeadLetterStatus.RequiresReview, CheckTarget, true));
    }

    [Theory, InlineData(""), InlineData("http://"), InlineData("ftp://{0}/x"), InlineData("mailto:a@b")]
    public async Task A_redirect_without_a_target_is_for_review(string location)
    {
        await using var server = await KestrelServer.StartAsync(
            context => Reply.With(307, "", ("Location", string.Format(null, location, context.Request.Host.Value)))(context));
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri);

        (await ReplayAsync(process, server)).Status.ShouldBe(DeadLetterStatus.RequiresReview);
        server.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_target_that_fails_makes_the_letter_due_again_at_its_own_address()
    {
        await using var server = await KestrelServer.StartAsync(To("/v2/invoices", 308), Reply.Unavailable, Reply.With(201));
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri);

        var waiting = await ReplayAsync(process, server);
        (waiting.Status, waiting.Replays, waiting.MayHaveBeenProcessed).ShouldBe((DeadLetterStatus.Pending, 1, true));
        (await process.ReplayAsync(waiting)).Status.ShouldBe(DeadLetterStatus.Replayed);

        server.Requests.Select(r => (r.Target, r.Key)).ShouldBe(
            [("/invoices", "key-1"), ("/v2/invoices", "key-1"), ("/invoices", "key-1")]);
    }

    [Fact]
    public async Task A_request_without_a_key_that_may_have_been_processed_is_not_sent_elsewhere()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Abort, To("/v2/invoices", 307), Reply.With(201));
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri, o => o.Retry.MaxRetryAttempts = 1);

        // The chain gives the replay a key of its own, and repeats it after the cut.
        var after = await ReplayAsync(process, server, letter => letter with { IdempotencyKey = null });

        (server.Count, after.Status, after.MayHaveBeenProcessed).ShouldBe((2, DeadLetterStatus.RequiresReview, true));
    }

    [Theory, InlineData(Primary.Default), InlineData(Primary.Sockets), InlineData(Primary.HttpClientHandler), InlineData(Primary.Derived)]
    [InlineData(Primary.BelowHandlers), InlineData(Primary.OfDefaults), InlineData(Primary.Configured)]
    [InlineData(Primary.WithoutFilters)]
    public async Task Calls_of_the_client_go_on_following_redirects_and_replays_do_not(Primary primary)
    {
        await using var server = await KestrelServer.StartAsync(
            To("/login", 302), Reply.Ok("page"), To("/login", 302), To("/login", 302), Reply.Ok("page"));
        await using var process = await ReplayProcess.StartAsync(
            _database, server.Uri, build: client => Use(primary, client), services: s => UseDefaults(primary, s));

        (await process.Http.GetStringAsync(new Uri("start", UriKind.Relative), TestContext.Current.CancellationToken)).ShouldBe("page");
        (await ReplayAsync(process, server)).Status.ShouldBe(DeadLetterStatus.RequiresReview);
        (await process.Http.GetStringAsync(new Uri("start", UriKind.Relative), TestContext.Current.CancellationToken)).ShouldBe("page");

        server.Count.ShouldBe(5);
        process.Log.Lines.ShouldNotContain(l => l.EventId == 421);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_primary_handler_that_may_follow_redirects_is_warned_of_once_and_what_it_followed_is_for_review(bool isShared)
    {
        await using var server = await KestrelServer.StartAsync(
            To("/login", 302), Reply.Ok("log in"), To("/login", 302), Reply.Ok("log in"), Reply.With(201));
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri, build: client =>
            client.ConfigurePrimaryHttpMessageHandler(() => isShared ? Shared : new OwnHandler()));

        var first = await ReplayAsync(process, server);
        var second = await ReplayAsync(process, server, letter => letter with { Method = "PUT" });
        var third = await ReplayAsync(process, server);

        (first.Status, first.SuggestedAction).ShouldBe((DeadLetterStatus.RequiresReview, CheckTarget));
        (second.Status, third.Status).ShouldBe((DeadLetterStatus.RequiresReview, DeadLetterStatus.Replayed));
        process.Log.Lines.Where(l => l.EventId == 421).ShouldHaveSingleItem().Text.ShouldContain(
            isShared ? nameof(SocketsHttpHandler) : nameof(OwnHandler));
    }

    [Fact]
    public async Task A_factory_of_the_application_is_warned_of_and_a_POST_that_became_a_GET_is_for_review()
    {
        await using var server = await KestrelServer.StartAsync(To("/login", 302), Reply.Ok("log in"), Reply.With(201));
        await using var process = await ReplayProcess.StartAsync(
            _database, server.Uri, services: s => s.AddHttpClient().Replace(ServiceDescriptor.Singleton<IHttpClientFactory>(
                provider => new OwnFactory(provider.GetRequiredService<IHttpMessageHandlerFactory>(), server.Uri))));

        var first = await ReplayAsync(process, server);
        var second = await ReplayAsync(process, server);

        (first.Status, first.SuggestedAction, second.Status).ShouldBe(
            (DeadLetterStatus.RequiresReview, CheckTarget, DeadLetterStatus.Replayed));
        process.Log.Lines.Where(l => l.EventId == 421).ShouldHaveSingleItem().Text.ShouldContain(nameof(OwnFactory));
    }

    [Fact]
    public async Task A_handler_that_is_made_only_once_does_not_keep_letters_from_being_sent()
    {
        await using var server = await KestrelServer.StartAsync(Reply.With(201));
        var once = new PassesOn();
        await using var process = await ReplayProcess.StartAsync(
            _database, server.Uri, build: client => client.AddHttpMessageHandler(() => once));

        (await ReplayAsync(process, server)).Status.ShouldBe(DeadLetterStatus.Replayed);

        process.Log.Lines.Where(l => l.EventId == 421).ShouldHaveSingleItem().Text.ShouldContain("InnerHandler");
    }

    [Fact]
    public async Task Handlers_and_settings_of_the_client_apply_to_replays()
    {
        await using var server = await KestrelServer.StartAsync(Reply.With(201));
        List<string?> names = [];
        await using var process = await ReplayProcess.StartAsync(
            _database, server.Uri,
            build: client => client.ConfigureHttpClient(c => c.DefaultRequestHeaders.Add("X-Default", "1"))
                .ConfigureAdditionalHttpMessageHandlers((handlers, _) => handlers.Add(new AddsHeader("X-Own")))
                .SetHandlerLifetime(TimeSpan.FromMinutes(7)),
            services: s => s.ConfigureHttpClientDefaults(c => c.AddHttpMessageHandler(() => new AddsHeader("X-Of-All"))
                .ConfigureAdditionalHttpMessageHandlers((_, _) => names.Add(c.Name))));

        (await ReplayAsync(process, server)).Status.ShouldBe(DeadLetterStatus.Replayed);

        var sent = server.Requests.ShouldHaveSingleItem();
        (sent.Headers["X-Default"], sent.Headers["X-Own"], sent.Headers["X-Of-All"], sent.Headers["X-Api-Key"])
            .ShouldBe(("1", "1", "1", "secret-of-the-client"));
        process.Services.GetRequiredService<IResilientClients>().List().Select(c => c.Name).ShouldBe([ReplayProcess.Client]);
    }

    private static async Task<DeadLetter> ReplayAsync(
        ReplayProcess process, KestrelServer server, Func<DeadLetter, DeadLetter>? change = null)
    {
        var letter = ReplayProcess.LetterTo(new Uri(server.Uri, "invoices"));
        return await process.DoneAsync(await process.AddAsync(change?.Invoke(letter) ?? letter));
    }

    private static RequestDelegate To(object target, int status) => Reply.With(status, "", ("Location", target.ToString()!));

    private static void Use(Primary primary, IHttpClientBuilder client)
    {
        if (primary is Primary.WithoutFilters)
            client.Services.RemoveAll<IHttpMessageHandlerBuilderFilter>();
        _ = primary switch
        {
            Primary.Sockets => client.UseSocketsHttpHandler((handler, _) => handler.UseProxy = false),
            Primary.HttpClientHandler => client.ConfigurePrimaryHttpMessageHandler(() => new HttpClientHandler()),
            Primary.Derived => client.ConfigurePrimaryHttpMessageHandler(() => new DerivedHandler()),
            Primary.BelowHandlers => client.ConfigurePrimaryHttpMessageHandler(
                () => new PassesOn { InnerHandler = new PassesOn { InnerHandler = new SocketsHttpHandler() } }),
            Primary.Configured => client.ConfigurePrimaryHttpMessageHandler((handler, _) => ((SocketsHttpHandler)handler).UseProxy = false),
            _ => client,
        };
    }

    private static void UseDefaults(Primary primary, IServiceCollection services)
    {
        if (primary is Primary.OfDefaults)
            services.ConfigureHttpClientDefaults(c => c.ConfigurePrimaryHttpMessageHandler(() => new HttpClientHandler()));
    }

    private sealed class PassesOn : DelegatingHandler;

    private sealed class DerivedHandler : HttpClientHandler;

    private sealed class AddsHeader(string name) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.TryAddWithoutValidation(name, "1");
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class OwnFactory(IHttpMessageHandlerFactory handlers, Uri baseAddress) : IHttpClientFactory
    {
        public HttpClient CreateClient(string name) =>
            new(handlers.CreateHandler(name), disposeHandler: false) { BaseAddress = baseAddress };
    }

    /// <summary>Neither of the platform's: it may do what it likes.</summary>
    private sealed class OwnHandler : HttpMessageHandler
    {
        private readonly HttpMessageInvoker _sockets = new(new SocketsHttpHandler { UseProxy = false });

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            _sockets.SendAsync(request, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            _sockets.Dispose();
            base.Dispose(disposing);
        }
    }
}
