using HttpResilience.Tests.CircuitBreaker;
using Microsoft.Extensions.DependencyInjection;
using static HttpResilience.Tests.Fallback.FallbackChain;

namespace HttpResilience.Tests.Fallback;

/// <summary>No user is ever told what another was told, however they are told apart.</summary>
public sealed class WhoseResponseTests : IDisposable
{
    private static readonly AsyncLocal<string?> User = new();

    private Chain? _chain;

    /// <summary>How a request says on whose behalf it is, on its way in.</summary>
    public static TheoryData<string> Given => new("Authorization", "Cookie", "X-Api-Key", "X-User", "Accept-Language", "tenant",
        "empty tenant", "no tenant", "user-info", "query", "scope tenant");

    /// <summary>What a handler inside the chain does to say on whose behalf a request is.</summary>
    public static TheoryData<string> Added => new(
        "Authorization", "authorization", "X-User", "Accept-Language with Vary", "query", "host", "method", "copy", "copy without options",
        "short cut", "second value", "cookie");

    /// <summary>What keeps the second call from being answered.</summary>
    public static TheoryData<string> Failures => new("status", "exception", "handler", "circuit", "pause");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Given))]
    public async Task Fields_of_the_request_distinguish_users(string how)
    {
        var chain = Open();
        await AskAsync(chain, how, "alice", Good("alice's"));

        (await NotifyAsync(chain, how, "bob", Replies.Status(503))).ShouldBeNull();
        (await NotifyAsync(chain, how, "bob", Replies.ConnectionRefused())).ShouldBeNull();
        (await NotifyAsync(chain, how, null, Replies.Status(503))).ShouldBeNull();
        (await NotifyAsync(chain, how, "alice", Replies.Status(503))).ShouldBe("alice's");
    }

    [Theory, CombinatorialAdded]
    public async Task Fields_that_an_inner_handler_adds_distinguish_users(string how, string failure)
    {
        var gate = new Gate();
        var chain = Open(
            o =>
            {
                o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(5);
                (o.CircuitBreaker.BreakDuration, o.CircuitBreaker.UseClassic().FailureThreshold) =
                    (TimeSpan.FromHours(1), failure == "circuit" ? 1 : 1000);
            },
            client => client.AddHttpMessageHandler(() => new Adding(how, gate)));
        chain.Server.Script(Good("alice's", how.EndsWith("Vary", StringComparison.Ordinal) ? ("Vary", "Accept-Language") : ("X-None", "")));
        gate.Body = "alice's";
        await AsAsync("alice", () => chain.SendAsync(true, Chain.Get()));
        gate.Body = null;
        var down = failure switch
        {
            "exception" =>
            Replies.Reset(),
            "pause" => Replies.Status(429, ("Retry-After", "60")),
            _ => Replies.Status(503)
        };
        chain.Server.Script(down);
        gate.Fails = failure == "handler";
        if (failure is "circuit" or "pause")
            await AsAsync("carol", () => chain.SendAsync(true, Chain.Get("other")));
        int sent = chain.Server.Requests.Count;

        string? bobs = await AsAsync("bob", () => chain.StaleAsync());
        string? nobodys = await AsAsync(null, () => chain.StaleAsync());
        string? alices = await AsAsync("alice", () => chain.StaleAsync());

        (bobs, nobodys).ShouldBe((null, null));
        // While nothing is sent nobody knows who is asking; a copy that has lost the call's options, and an answer
        // from within, come from nobody knows whom.
        bool isKnown = failure is "status" or "exception" && how is not ("copy without options" or "short cut");
        alices.ShouldBe(isKnown ? "alice's" : null);
        if (failure is "circuit" or "pause" or "handler")
            chain.Server.Requests.Count.ShouldBe(sent);
    }

    [Theory, MemberData(nameof(Failures))]
    public async Task Credentials_that_are_shared_may_rotate_and_come_from_inside(string failure)
    {
        var gate = new Gate();
        var chain = Open(
            o =>
            {
                o.Fallback.CredentialsAreShared = true;
                o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(5);
                (o.CircuitBreaker.BreakDuration, o.CircuitBreaker.UseClassic().FailureThreshold) =
                    (TimeSpan.FromHours(1), failure == "circuit" ? 1 : 1000);
            },
            client => client.AddHttpMessageHandler(() => new Adding("Authorization", gate)));
        await AsAsync("token 1", () => AskAsync(chain, "X-User", "alice", Good("alice's")));
        chain.Server.Script(failure switch
        {
            "exception" =>
            Replies.Reset(),
            "pause" => Replies.Status(429, ("Retry-After", "60")),
            _ => Replies.Status(503)
        });
        gate.Fails = failure == "handler";
        if (failure is "circuit" or "pause")
            await AsAsync("token 1", () => chain.SendAsync(true, Chain.Get("other")));

        (await AsAsync("token 2", () => chain.StaleAsync(Request("X-User", "alice")))).ShouldBe("alice's");
        (await AsAsync("token 2", () => chain.StaleAsync(Request("X-User", "bob")))).ShouldBeNull();
        (await AsAsync("token 2", () => chain.StaleAsync(Request("X-User", "alice").WithTenant("t")))).ShouldBeNull();
    }

    [Fact]
    public async Task A_token_that_has_been_renewed_is_another_one()
    {
        var chain = Open(client: client => client.AddHttpMessageHandler(() => new Adding("Authorization", new())));
        await AsAsync("token 1", () => chain.SeeThenLoseAsync());

        (await AsAsync("token 2", () => chain.StaleAsync())).ShouldBeNull();
        (await AsAsync("token 1", () => chain.StaleAsync())).ShouldBe("good");
    }

    [Fact]
    public async Task Of_a_token_that_is_renewed_between_attempts_the_last_one_counts()
    {
        var chain = Open(o => o.Retry.MaxRetryAttempts = 1,
            client => client.AddHttpMessageHandler(() => new Rotating("1", "2", "2", "1", "2", "2", "3")));
        chain.Server.Script(Replies.Status(503), Good("alice's"), Replies.Status(503));
        (await chain.SendAsync(true, Chain.Get())).Dispose();

        (await chain.StaleAsync()).ShouldBeNull();
        (await chain.StaleAsync()).ShouldBe("alice's");
        (await chain.StaleAsync()).ShouldBeNull();
    }

    [Theory, InlineData(true, false), InlineData(false, false), InlineData(true, true), InlineData(false, true)]
    public async Task Fields_that_the_primary_handler_adds_distinguish_users(bool copies, bool toUri)
    {
        var chain = Open(client: client =>
            client.ConfigurePrimaryHttpMessageHandler(services => new Primary(services.GetRequiredService<Box>().Server!, copies, toUri)),
            services: services => services.AddSingleton<Box>());
        chain.Services.GetRequiredService<Box>().Server = chain.Server;
        await AsAsync("alice", () => chain.SeeThenLoseAsync(good: Good("alice's")));

        (await AsAsync("bob", () => chain.StaleAsync())).ShouldBeNull();
        (await AsAsync(null, () => chain.StaleAsync())).ShouldBeNull();
        (await AsAsync("alice", () => chain.StaleAsync())).ShouldBe("alice's");
        // What it changes on the request itself is seen when it throws, too; of a copy nothing is.
        chain.Server.Script(Replies.Reset());
        (await AsAsync("bob", () => chain.StaleAsync())).ShouldBeNull();
        (await AsAsync(null, () => chain.StaleAsync())).ShouldBeNull();
        (await AsAsync("alice", () => chain.StaleAsync())).ShouldBe(copies ? null : "alice's");
    }

    [Fact]
    public async Task Requests_side_by_side_keep_to_their_own_users()
    {
        int seed = Random.Shared.Next();
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        var random = new Random(seed);
        var chain = Open(o => (o.Hedging.Enabled, o.Hedging.Delay, o.Retry.MaxRetryAttempts) = (true, TimeSpan.FromMilliseconds(1), 1),
            client => client.AddHttpMessageHandler(() => new Adding("Authorization", new())).AddHttpMessageHandler(() => new Echo(seed)));
        string[] users = [.. Enumerable.Range(0, 20).Select(i => $"user {i}")];
        int stale = 0;

        await Parallel.ForEachAsync(Enumerable.Range(0, 4000).Select(_ => users[random.Next(users.Length)]).ToList(), Stop,
            async (user, _) =>
            {
                string? told = await AsAsync(user, () => TryAsync(chain));
                if (told is not null)
                    Interlocked.Increment(ref stale);
                told?.ShouldBe($"Bearer {user}");
            });

        stale.ShouldBeGreaterThan(100);
    }

    public void Dispose() => _chain?.Dispose();

    // What the caller is told, stale or not; null when it is told nothing.
    private static async Task<string?> TryAsync(Chain chain)
    {
        try
        {
            using var response = await chain.SendAsync(true, Chain.Get());
            return response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync(Stop) : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private Chain Open(Action<HttpResilienceOptions>? options = null, Action<IHttpClientBuilder>? client = null,
        Action<IServiceCollection>? services = null)
    {
        _chain?.Dispose();
        return _chain = FallbackChain.Open(options, client, services);
    }

    private static async Task AskAsync(Chain chain, string how, string? who, Reply good)
    {
        chain.Server.Script(good);
        using var scope = how == "scope tenant" && who is not null ? HttpCallScope.Begin(new() { Tenant = who }) : null;
        (await chain.SendAsync(true, Request(how, who))).Dispose();
    }

    private static async Task<string?> NotifyAsync(Chain chain, string how, string? who, Reply failure)
    {
        chain.Server.Script(failure);
        using var scope = how == "scope tenant" && who is not null ? HttpCallScope.Begin(new() { Tenant = who }) : null;
        return await chain.StaleAsync(Request(how, who));
    }

    private static HttpRequestMessage Request(string how, string? who)
    {
        if (who is null)
            return how == "no tenant" ? Chain.Get().WithTenant("somebody") : Chain.Get();
        var request = how switch
        {
            "user-info" => new HttpRequestMessage(HttpMethod.Get, $"https://{who}:x@api.test/invoices/1"),
            "query" => Chain.Get($"invoices/1?user={who}"),
            "tenant" => Chain.Get().WithTenant(who),
            "empty tenant" => who == "alice" ? Chain.Get().WithTenant("") : Chain.Get().WithTenant(who),
            "no tenant" => who == "alice" ? Chain.Get() : Chain.Get().WithTenant(""),
            "scope tenant" => Chain.Get(),
            _ => Chain.Get(),
        };
        if (how.Contains('-') && how != "user-info" || how is "Authorization" or "Cookie")
            request.Headers.TryAddWithoutValidation(how, $"Bearer {who}");
        return request;
    }

    private static async Task<T> AsAsync<T>(string? user, Func<Task<T>> action)
    {
        User.Value = user;
        try
        {
            return await action();
        }
        finally
        {
            User.Value = null;
        }
    }

    private static Task<int> AsAsync(string? user, Func<Task> action) => AsAsync(user, async () =>
    {
        await action();
        return 0;
    });

    private sealed class Gate
    {
        internal bool Fails { get; set; }

        internal string? Body { get; set; }
    }

    private sealed class Box
    {
        internal FaultScript? Server { get; set; }
    }

    /// <summary>A handler of the application's that says who the user is. Nobody else adds nothing.</summary>
    private sealed class Adding(string how, Gate gate) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (gate.Fails)
                throw new HttpRequestException(HttpRequestError.ConnectionError, "no token to be had");
            if (User.Value is not { } user)
                return base.SendAsync(request, cancellationToken);
            switch (how)
            {
                case "query":
                    request.RequestUri = new($"{request.RequestUri}?user={Uri.EscapeDataString(user)}");
                    break;
                case "host":
                    request.RequestUri = new UriBuilder(request.RequestUri!) { Host = $"{user}.test" }.Uri;
                    break;
                case "method":
                    request.Method = new($"GET-{user}");
                    break;
                case "copy" or "copy without options":
                    var copy = new HttpRequestMessage(request.Method, request.RequestUri);
                    copy.Headers.TryAddWithoutValidation("Authorization", user);
                    if (how == "copy")
                    {
                        foreach (var (key, value) in request.Options)
                            ((IDictionary<string, object?>)copy.Options)[key] = value;
                    }

                    return AsOriginalAsync(base.SendAsync(copy, cancellationToken), request);
                case "short cut" when gate.Body is { } body:
                    return Task.FromResult(new HttpResponseMessage { Content = new StringContent(body), RequestMessage = request });
                case "short cut":
                    break;
                case "second value":
                    request.Headers.TryAddWithoutValidation("Authorization", ["Bearer app", user]);
                    break;
                case "cookie":
                    request.Headers.TryAddWithoutValidation("COOKIE", $"session={user}");
                    break;
                default:
                    request.Headers.TryAddWithoutValidation(how.Split(' ')[0], $"Bearer {user}");
                    break;
            }

            return base.SendAsync(request, cancellationToken);
        }

        private static async Task<HttpResponseMessage> AsOriginalAsync(Task<HttpResponseMessage> sending, HttpRequestMessage original)
        {
            var response = await sending;
            response.RequestMessage = original;
            return response;
        }
    }

    /// <summary>Has another token for each attempt; the last one stays.</summary>
    private sealed class Rotating(params string[] tokens) : DelegatingHandler
    {
        private int _next;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Authorization = new("Bearer", tokens[Math.Min(_next++, tokens.Length - 1)]);
            return base.SendAsync(request, cancellationToken);
        }
    }

    /// <summary>A primary handler of the application's that says who the user is.</summary>
    private sealed class Primary(HttpMessageHandler inner, bool copies, bool toUri) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var sent = copies ? new HttpRequestMessage(request.Method, request.RequestUri) : request;
            if (User.Value is { } user && toUri)
                sent.RequestUri = new($"{request.RequestUri}?key={user}");
            else if (User.Value is { } name)
                sent.Headers.TryAddWithoutValidation("X-Api-Key", name);
            var response = await base.SendAsync(sent, cancellationToken);
            response.RequestMessage = sent;
            return response;
        }
    }

    /// <summary>Says back who is asking, late, or fails, as it comes.</summary>
    private sealed class Echo(int seed) : DelegatingHandler
    {
        private readonly Random _random = new(seed);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            int luck;
            lock (_random)
                luck = _random.Next(8);
            await base.SendAsync(request, cancellationToken);
            string user = request.Headers.NonValidated["Authorization"].ToString();
            if (luck < 2)
                await Task.Delay(luck * 5, cancellationToken);
            if (luck == 7)
                throw new HttpRequestException("reset", new IOException());
            return luck > 3 ? new(System.Net.HttpStatusCode.ServiceUnavailable) : new() { Content = new StringContent(user) };
        }
    }

    private sealed class CombinatorialAddedAttribute : Xunit.v3.DataAttribute
    {
        public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(
            System.Reflection.MethodInfo testMethod, Xunit.Sdk.DisposalTracker disposalTracker) =>
            new([.. from how in Added from failure in Failures select new TheoryDataRow<string, string>(how.Data, failure.Data)]);

        public override bool SupportsDiscoveryEnumeration() => true;
    }
}
