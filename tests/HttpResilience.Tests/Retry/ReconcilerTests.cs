using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Retry;

/// <summary><see cref="IReconciler"/>: a POST without a key is repeated once it is certain that it was not processed.</summary>
public sealed class ReconcilerTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task A_response_that_is_found_is_returned_and_the_request_is_not_sent_again(bool async)
    {
        var reconciler = new Reconciler(() => new(HttpStatusCode.OK) { Content = new StringContent("invoice 1") });
        using var chain = With(reconciler);
        chain.Server.Script(Replies.Reset());

        using var request = Chain.Post();
        using var response = await chain.SendAsync(async, request);

        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("invoice 1");
        response.RequestMessage.ShouldBe(request);
        chain.Server.Requests.Count.ShouldBe(1);
        var call = response.GetHttpCall()!;
        (call.StopReason, call.FailureClass, call.Attempts.Count).ShouldBe((StopReason.Reconciled, FailureClass.None, 1));
        var logged = chain.Logs.Call;
        (logged["StopReason"], logged["StatusCode"]).ShouldBe(("Reconciled", 200));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_request_that_is_not_found_is_sent_again_after_the_delay(bool async)
    {
        var reconciler = new Reconciler(() => null);
        using var chain = With(reconciler);
        reconciler.Clock = chain.Clock;
        chain.Server.Script(Replies.Reset(), Replies.Status(503), Replies.Status(201));

        using var response = await chain.PostAsync(async);

        ((int)response.StatusCode).ShouldBe(201);
        // Just before the next attempt: what was not there yet a moment ago may be there now.
        reconciler.Asked.ShouldBe([TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3)]);
        chain.Server.Requests.Select(s => s.SentAfter).ShouldBe([TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3)]);
    }

    [Fact]
    public async Task The_reconciler_gets_the_request_as_the_application_made_it()
    {
        string? seen = null;
        var reconciler = new Reconciler(() => null)
        {
            Look = async (call, request, token) =>
                seen = $"{call.Tags["number"]} {request.Headers.Contains("traceparent")} {await request.Content!.ReadAsStringAsync(token)}",
        };
        using var chain = With(reconciler, client: c => c.AddHttpMessageHandler(() => new AddsHeader()));
        chain.Server.Script(Replies.Status(500), Replies.Status(201));

        using var request = Chain.Post().WithTag("number", 7);
        (await chain.SendAsync(true, request)).Dispose();

        seen.ShouldBe("7 False {\"number\":1}");
    }

    public static TheoryData<string> NotAsked => ["get", "keyed", "not processed", "no attempts left", "deadline", "always"];

    [Theory, MemberData(nameof(NotAsked))]
    public async Task The_reconciler_is_called_only_where_its_answer_matters(string why)
    {
        var reconciler = new Reconciler(() => null);
        using var chain = With(reconciler, o =>
        {
            o.Idempotency.Enabled = why == "keyed";
            o.Retry.MaxRetryAttempts = why == "no attempts left" ? 0 : 1;
            o.Retry.UnsafeMethods = why == "always" ? UnsafeMethods.Always : UnsafeMethods.WhenKeyed;
            if (why == "deadline")
                o.TotalRequestTimeout.Timeout = TimeSpan.FromMilliseconds(900);
        });
        chain.Server.Script(why == "not processed" ? Replies.ConnectionRefused() : Replies.Status(500), Replies.Status(200));

        (await chain.SendAsync(true, why == "get" ? Chain.Get() : Chain.Post())).Dispose();

        reconciler.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task Never_repeats_nothing_that_may_have_been_processed_but_what_is_not_there()
    {
        using var chain = With(
            new Reconciler(() => null), o => (o.Idempotency.Enabled, o.Retry.UnsafeMethods) = (true, UnsafeMethods.Never));
        chain.Server.Script(Replies.Status(500), Replies.Status(200));

        using var response = await chain.PostAsync();

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
    }

    [Fact]
    public async Task An_attempt_that_was_not_processed_does_not_make_up_for_one_that_may_have_been()
    {
        var reconciler = new Reconciler(() => null);
        using var chain = With(reconciler);
        chain.Server.Script(Replies.Status(500), Replies.ConnectionRefused(), Replies.Status(200));

        (await chain.PostAsync()).Dispose();

        reconciler.Asked.Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_reconciler_is_called_after_a_delay_of_the_server_too()
    {
        var reconciler = new Reconciler(() => null);
        using var chain = With(reconciler);
        chain.Server.Script(Replies.Status(500, ("Retry-After", "9")), Replies.Status(200));

        (await chain.PostAsync()).Dispose();

        reconciler.Asked.ShouldBe([TimeSpan.FromSeconds(9)]);
    }

    [Fact]
    public async Task The_lifetime_of_keys_does_not_matter_without_a_key()
    {
        using var chain = With(new Reconciler(() => null), o => o.Idempotency.KeyLifetime = TimeSpan.FromSeconds(1));
        chain.Server.Script(Replies.Status(500), Replies.Status(500), Replies.Status(200));

        using var response = await chain.PostAsync();

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task When_it_cannot_be_found_out_the_request_is_not_sent_again(bool async)
    {
        using var chain = With(new Reconciler(() => throw new IOException("search is down")));
        chain.Server.Script(Replies.Status(500), Replies.Status(200));

        var failure = await Should.ThrowAsync<HttpRequestException>(() => chain.PostAsync(async));

        (failure.StatusCode, failure.InnerException).ShouldBe(
            (HttpStatusCode.InternalServerError, failure.InnerException.ShouldBeOfType<IOException>()));
        var call = failure.GetHttpCall()!;
        (call.StopReason, call.FailureClass).ShouldBe((StopReason.UnsafeMethod, FailureClass.ServerError));
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_search_that_hangs_ends_with_the_time_of_an_attempt()
    {
        using var chain = With(new Reconciler(() => null) { HangsOn = c => c.Advance(TimeSpan.FromSeconds(30)) });
        chain.Server.Script(Replies.Status(500));

        var failure = await Should.ThrowAsync<HttpRequestException>(() => chain.PostAsync());

        failure.InnerException.ShouldBeAssignableTo<OperationCanceledException>();
        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(31));
    }

    [Fact]
    public async Task A_caller_that_leaves_during_the_search_has_cancelled()
    {
        using var caller = new CancellationTokenSource();
        using var chain = With(new Reconciler(() => null) { HangsOn = _ => caller.Cancel() });
        chain.Server.Script(Replies.Status(500));

        var failure = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chain.SendAsync(true, Chain.Post(), caller.Token));

        (failure.CancellationToken, failure.GetHttpCall()!.StopReason).ShouldBe((caller.Token, StopReason.Cancelled));
    }

    [Fact]
    public async Task The_reconciler_may_use_the_client_that_it_serves()
    {
        using var chain = new Chain(
            o => o.Idempotency.Enabled = false, services: services => services.AddSingleton<IReconciler, SearchesWithTheClient>());
        chain.Server.Script(Replies.Reset(), Replies.Status(200, "invoice 1"));

        using var response = await chain.PostAsync();

        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("invoice 1");
        chain.Server.Requests.Select(s => s.Method.Method).ShouldBe(["POST", "GET"]);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Reconciled);
    }

    private static Chain With(
        Reconciler reconciler, Action<HttpResilienceOptions>? options = null, Action<IHttpClientBuilder>? client = null)
    {
        var chain = new Chain(o =>
        {
            o.Idempotency.Enabled = false;
            options?.Invoke(o);
        }, client, services => services.AddSingleton<IReconciler>(reconciler));
        reconciler.Clock = chain.Clock;
        return chain;
    }

    private sealed class Reconciler(Func<HttpResponseMessage?> find) : IReconciler
    {
        internal ManualTimeProvider? Clock { get; set; }

        internal List<TimeSpan> Asked { get; } = [];

        internal Func<HttpCall, HttpRequestMessage, CancellationToken, Task>? Look { get; init; }

        internal Action<ManualTimeProvider>? HangsOn { get; init; }

        public async ValueTask<HttpResponseMessage?> FindAsync(
            HttpCall httpCall, HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked.Add(Clock!.Elapsed);
            if (Look is not null)
                await Look(httpCall, request, cancellationToken);
            HangsOn?.Invoke(Clock);
            cancellationToken.ThrowIfCancellationRequested();
            return find();
        }
    }

    private sealed class SearchesWithTheClient(IHttpClientFactory clients) : IReconciler
    {
        private readonly HttpClient _client = clients.CreateClient(Chain.Name);

        public async ValueTask<HttpResponseMessage?> FindAsync(
            HttpCall httpCall, HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await _client.GetAsync(new Uri("invoices?number=1", UriKind.Relative), cancellationToken);
            return response.IsSuccessStatusCode ? response : null;
        }
    }

    private sealed class AddsHeader : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.TryAddWithoutValidation("traceparent", "00-0-0-00");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
