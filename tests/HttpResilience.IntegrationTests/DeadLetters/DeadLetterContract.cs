using System.Net;
using System.Text;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.DeadLetters;

/// <summary>
/// From a failed call over a durable store to its replay, through real sockets, a real database, and hosts that start and stop.
/// </summary>
public abstract class DeadLetterContract : IAsyncLifetime
{
    private const string Client = "invoices";
    private static readonly string[] SecretHeaders =
        ["Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "X-Auth-Token", "Ocp-Apim-Subscription-Key", "X-Mine"];

    private protected TestDatabase Database { get; private set; } = null!;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected abstract ValueTask<TestDatabase> CreateAsync();

    [Fact]
    public async Task A_failed_call_is_replayed_after_a_restart_under_the_same_key()
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(503).Times(2).Status(201), cancellationToken: Token);
        DeadLetter letter;
        using (var first = await StartAsync(server))
        {
            using var response = await PostAsync(first, "invoice 1");
            letter = (await Review(first).FindAsync(response.GetHttpCall()!.DeadLetterId!.Value, Token))!;
            response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            await first.StopAsync(Token);
        }

        using var second = await StartAsync(server, replay: true);
        await Review(second).ReplayAsync(letter.Id, "alice", Token);
        await UntilAsync(second, letter.Id, DeadLetterStatus.Replayed);

        server.Requests.Select(r => (r.Method.Method, r.Text, r.IdempotencyKey, r.Headers["Authorization"]))
            .ShouldBe(Enumerable.Repeat(("POST", "invoice 1", letter.IdempotencyKey, "Bearer secret-of-the-client"), 3));
        await second.StopAsync(Token);
    }

    [Fact]
    public async Task Three_workers_on_one_store_send_each_letter_once()
    {
        const int Letters = 60;
        await using var server = await FaultServer.StartAsync(
            new FaultScript().Status(422).Times(Letters).Status(201).Delayed(TimeSpan.FromMilliseconds(5)), cancellationToken: Token);
        IHost[] hosts =
            [await StartAsync(server, replay: true), await StartAsync(server, replay: true), await StartAsync(server, replay: true)];
        for (int i = 0; i < Letters; i++)
            (await PostAsync(hosts[0], $"invoice {i}")).Dispose();

        int due = await Review(hosts[0]).ReplayManyAsync(
            new() { Status = DeadLetterStatus.RequiresReview }, perSecond: 10_000, "alice", cancellationToken: Token);
        await Eventually.BeAsync(() => Review(hosts[0]).CountAsync(Token).GetAwaiter().GetResult()[DeadLetterStatus.Replayed] == Letters);

        due.ShouldBe(Letters);
        server.Requests.Skip(Letters).GroupBy(r => r.IdempotencyKey).Select(g => g.Count()).ShouldBe(Enumerable.Repeat(1, Letters));
        foreach (var host in hosts)
        {
            await host.StopAsync(Token);
            host.Dispose();
        }
    }

    [Fact]
    public async Task No_row_holds_a_secret_and_the_replay_is_authenticated()
    {
        await using var server = await FaultServer.StartAsync(
            new FaultScript().Status(400, "you sent secret-of-the-call").Status(201), cancellationToken: Token);
        using var host = await StartAsync(server, replay: true);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://user:secret-of-the-call@{server.Uri.Authority}/invoices");
        request.Content = new StringContent("invoice 1");
        foreach (string name in SecretHeaders.Skip(1))
            request.Headers.TryAddWithoutValidation(name, "secret-of-the-call");

        using var response = await ClientOf(host).SendAsync(request, Token);
        var id = response.GetHttpCall()!.DeadLetterId!.Value;

        string everything = await DatabaseDump.OfAsync(Database, Token);
        everything.ShouldContain("invoice 1");
        everything.ShouldNotContain("secret-of-the-c");
        await Review(host).ReplayAsync(id, "alice", Token);
        await UntilAsync(host, id, DeadLetterStatus.Replayed);
        server.Requests[1].Headers["Authorization"].ShouldBe("Bearer secret-of-the-client");
        server.Requests[1].Headers["X-Mine"].ShouldBe("secret-of-the-client");
        await host.StopAsync(Token);
    }

    [Fact]
    public async Task Corrected_data_is_sent_in_place_of_a_rejected_request()
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(422).Status(201), cancellationToken: Token);
        using var host = await StartAsync(server, replay: true);
        using var response = await PostAsync(host, "invoice 1, currency EUX");
        var id = response.GetHttpCall()!.DeadLetterId!.Value;

        var corrected = await Review(host).ResubmitAsync(
            id, letter => letter with { Body = Encoding.UTF8.GetBytes("invoice 1, currency EUR") }, "alice", Token);
        await UntilAsync(host, corrected.Id, DeadLetterStatus.Replayed);

        server.Requests[1].Text.ShouldBe("invoice 1, currency EUR");
        server.Requests[1].IdempotencyKey.ShouldNotBe(server.Requests[0].IdempotencyKey);
        var old = (await Review(host).FindAsync(id, Token))!;
        (old.Status, old.ReplacedBy, old.Resolution!.By).ShouldBe((DeadLetterStatus.Resubmitted, corrected.Id, "alice"));
        await host.StopAsync(Token);
    }

    public async ValueTask InitializeAsync() => Database = await CreateAsync();

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private static IDeadLetterReview Review(IHost host) => host.Services.GetRequiredService<IDeadLetterReview>();

    private static HttpClient ClientOf(IHost host) => host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(Client);

    private static Task<HttpResponseMessage> PostAsync(IHost host, string body) =>
        ClientOf(host).PostAsync(new Uri("invoices", UriKind.Relative), new StringContent(body), Token);

    private static Task UntilAsync(IHost host, Guid id, DeadLetterStatus status) =>
        Eventually.BeAsync(() => Review(host).FindAsync(id, Token).GetAwaiter().GetResult()!.Status == status);

    private async Task<IHost> StartAsync(FaultServer server, bool replay = false)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.Debug).AddProvider(Database.Log);
        Database.AddTo(builder.Services);
        builder.Services.AddResilientHttpClient(Client, options =>
        {
            options.BaseAddress = server.Uri;
            options.DeadLetter.Enabled = true;
            options.Retry.MaxRetryAttempts = 1;
            options.Retry.Delay = TimeSpan.FromMilliseconds(1);
            options.CircuitBreaker.BreakDuration = null;
            options.Logging.RedactedHeaders = ["X-Mine"];
        }).AddHttpMessageHandler(() => new AddsCredentials());
        if (replay)
            builder.Services.AddDeadLetterReplay();
        var host = builder.Build();
        await host.StartAsync(Token);
        return host;
    }

    private sealed class AddsCredentials : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Authorization = new("Bearer", "secret-of-the-client");
            // A replay that lacks one of the headers of the request would not be sent.
            foreach (string name in SecretHeaders.Where(n => !request.Headers.Contains(n)))
                request.Headers.TryAddWithoutValidation(name, "secret-of-the-client");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
