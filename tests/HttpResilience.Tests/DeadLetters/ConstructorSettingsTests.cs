using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>A typed client that sets its base address or its credentials in its constructor.</summary>
public sealed class ConstructorSettingsTests : IDisposable
{
    private const string SetCredentials = "Set credentials by ConfigureHttpClient or a handler, or they cannot be replayed";

    private readonly InMemoryStorage _store = new(new ManualTimeProvider());
    private readonly List<ServiceProvider> _services = [];
    private readonly FaultScript _server = new(new ManualTimeProvider());
    private readonly LogCollector _logs = new();

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_letter_to_the_base_address_of_a_constructor_is_replayed(bool afterRestart)
    {
        var first = Open(s => s.AddResilientHttpClient<SetsAddress>("api", KeepLetters));
        _server.Script(Replies.Status(503), Replies.Status(201));
        (await first.GetRequiredService<SetsAddress>().PostAsync()).Dispose();

        var replays = afterRestart ? Open(s => s.AddResilientHttpClient<SetsAddress>("api", KeepLetters)) : first;
        var after = await ReplayAsync(replays);

        (after.Status, after.Uri.ToString()).ShouldBe((DeadLetterStatus.Replayed, "https://api.test/v1/invoices"));
    }

    [Fact]
    public async Task A_letter_of_a_client_that_was_created_by_hand_is_replayed()
    {
        var services = Open(s => s.AddResilientHttpClient("api", KeepLetters));
        var client = services.GetRequiredService<IHttpClientFactory>().CreateClient("api");
        client.BaseAddress = new("https://api.test/v1/");
        _server.Script(Replies.Status(503), Replies.Status(201));
        (await new SetsAddress(client).PostAsync()).Dispose();

        (await ReplayAsync(services)).Status.ShouldBe(DeadLetterStatus.Replayed);
    }

    [Fact]
    public async Task A_letter_to_another_host_is_still_for_review()
    {
        var services = Open(s => s.AddResilientHttpClient<SetsAddress>("api", KeepLetters));
        var client = services.GetRequiredService<SetsAddress>();
        _server.Script(Replies.Status(503));
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://other.test/");
        (await client.Http.SendAsync(request, TestContext.Current.CancellationToken)).Dispose();

        (await ReplayAsync(services)).SuggestedAction!.ShouldStartWith("Check its destination");
        _server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_typed_client_that_cannot_be_created_allows_no_host()
    {
        var services = Open(s => s.AddResilientHttpClient<Fails>("api", KeepLetters));
        var client = services.GetRequiredService<IHttpClientFactory>().CreateClient("api");
        _server.Script(Replies.Status(503));
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://api.test/");
        (await client.SendAsync(request, TestContext.Current.CancellationToken)).Dispose();

        (await ReplayAsync(services)).SuggestedAction!.ShouldStartWith("Check its destination");
    }

    public static TheoryData<string, bool> Sources => new()
    {
        { "request", true }, { "constructor", true }, { "created client", true },
        { "ConfigureHttpClient", false }, { "inner handler", false }, { "outer handler", false }, { "none", false },
    };

    [Theory, MemberData(nameof(Sources))]
    public async Task Credentials_that_no_replay_would_have_are_logged_once_and_their_letters_are_for_review(string source, bool areLost)
    {
        var services = Open(s =>
        {
            var plain = s.AddHttpClient("api");
            if (source == "outer handler")
                plain.AddHttpMessageHandler(() => new AddsToken());
            var builder = plain.AddTypedClient<SetsAddress>().AddResilience(KeepLetters);
            _ = source switch
            {
                "ConfigureHttpClient" => builder.ConfigureHttpClient(c => c.DefaultRequestHeaders.Add("Authorization", "Bearer secret")),
                "inner handler" => builder.AddHttpMessageHandler(() => new AddsToken()),
                _ => builder,
            };
        });
        var client = services.GetRequiredService<SetsAddress>();
        if (source is "constructor" or "created client")
            client.Http.DefaultRequestHeaders.Add("X-Api-Key", "secret");
        _server.Script(Replies.Status(503));

        for (int i = 0; i < 3; i++)
            (await client.PostAsync(source == "request" ? "Authorization" : null)).Dispose();

        var letters = await services.GetRequiredService<IDeadLetterReview>().ListAsync(new(), TestContext.Current.CancellationToken);
        letters.Count.ShouldBe(3);
        letters.ShouldAllBe(l => l.SuggestedAction == (areLost ? SetCredentials : null));
        _logs.WithId(503).Select(e => e.Level).ShouldBe(areLost ? [LogLevel.Warning] : []);
    }

    public void Dispose()
    {
        _services.ForEach(s => s.Dispose());
        _server.Dispose();
    }

    private static void KeepLetters(HttpResilienceOptions options) =>
        (options.DeadLetter.Enabled, options.Retry.MaxRetryAttempts) = (true, 0);

    private ServiceProvider Open(Action<IServiceCollection> register)
    {
        var services = new ServiceCollection();
        services.AddLogging(l => l.SetMinimumLevel(LogLevel.Trace).AddProvider(_logs));
        services.AddHttpResilienceStorage(s => s.UseInMemory(_store));
        register(services);
        services.AddHttpClient("api").ConfigurePrimaryHttpMessageHandler(() => _server);
        _services.Add(services.BuildServiceProvider());
        return _services[^1];
    }

    private static async Task<DeadLetter> ReplayAsync(IServiceProvider services)
    {
        var review = services.GetRequiredService<IDeadLetterReview>();
        var letter = (await review.ListAsync(new(), TestContext.Current.CancellationToken)).ShouldHaveSingleItem();
        return await review.SendAsync(letter.Id, "alice", TestContext.Current.CancellationToken);
    }

    private sealed class SetsAddress
    {
        public SetsAddress(HttpClient client)
        {
            client.BaseAddress ??= new("https://api.test/v1/");
            Http = client;
        }

        public HttpClient Http { get; }

        public async Task<HttpResponseMessage> PostAsync(string? secretHeader = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "invoices") { Content = new StringContent("{}") };
            if (secretHeader is not null)
                request.Headers.Add(secretHeader, "secret");
            return await Http.SendAsync(request, TestContext.Current.CancellationToken);
        }
    }

    private sealed class Fails
    {
        public Fails(HttpClient client)
        {
            client.BaseAddress = new("https://api.test/");
            throw new InvalidOperationException("no settings");
        }
    }

    private sealed class AddsToken : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer fresh");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
