using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests;

/// <summary>Ordinary typed clients.</summary>
public sealed class TypedClientTests
{
    [Fact]
    public async Task A_typed_client_reads_json_despite_faults()
    {
        await using var server = await KestrelServer.StartAsync(
            Reply.Unavailable, Reply.Abort, Reply.With(200, """{"number":"A-1","net":12.5}""", ("Content-Type", "application/json")));
        await using var services = ServicesFor(server.Uri);

        var invoice = await services.GetRequiredService<InvoiceClient>().GetAsync("A-1");

        invoice.ShouldBe(new Invoice("A-1", 12.5m));
        server.Requests.Select(r => $"{r.Method} {r.Target}").Distinct().ShouldBe(["GET /v1/invoices/A-1"]);
        server.Requests.ShouldAllBe(r => r.Key == null);
    }

    [Fact]
    public async Task A_typed_client_posts_json_despite_faults_with_one_key_per_call()
    {
        await using var server = await KestrelServer.StartAsync(
            Reply.Unavailable, Reply.Abort, Reply.With(201), Reply.With(500), Reply.With(201));
        await using var services = ServicesFor(server.Uri);
        var client = services.GetRequiredService<IInvoiceClient>();

        await client.PostAsync(new Invoice("A-1", 1));
        await client.PostAsync(new Invoice("A-2", 2));

        server.Requests.Count.ShouldBe(5);
        server.Requests.Take(3).ShouldAllBe(r => r.Key == server.Requests[0].Key && r.Text == """{"number":"A-1","net":1}""");
        server.Requests.Skip(3).ShouldAllBe(r => r.Key == server.Requests[3].Key && r.Text == """{"number":"A-2","net":2}""");
        server.Requests[0].Key.ShouldNotBe(server.Requests[3].Key);
    }

    [Fact]
    public async Task The_key_of_a_scope_reaches_the_server()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable, Reply.With(201));
        await using var services = ServicesFor(server.Uri);

        using (HttpCallScope.Begin(new HttpCallScopeOptions { IdempotencyKey = "comp1:invoice:001" }))
            await services.GetRequiredService<IInvoiceClient>().PostAsync(new Invoice("A-1", 1));

        server.Requests.Select(r => r.Key).ShouldBe(["comp1:invoice:001", "comp1:invoice:001"]);
    }

    [Fact]
    public async Task A_failure_throws_the_exception_that_a_bare_client_throws()
    {
        await using var server = await KestrelServer.StartAsync(
            Reply.With(422, """{"title":"Wrong","detail":"VAT"}""", ("Content-Type", "application/problem+json")));
        await using var services = ServicesFor(server.Uri);

        var exception = await Should.ThrowAsync<HttpRequestException>(
            services.GetRequiredService<IInvoiceClient>().PostAsync(new Invoice("A-1", 1)));

        exception.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        server.Count.ShouldBe(1);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_long_download_is_streamed_unchanged(bool chunked)
    {
        const int Length = 50_000_000;
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable, Reply.Bytes(200, Length, chunked));
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Get(), HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        byte[] hash = await SHA256.HashDataAsync(body, TestContext.Current.CancellationToken);

        byte[] expected = new byte[Length];
        Reply.Fill(expected, 0);
        hash.ShouldBe(SHA256.HashData(expected));
    }

    [Fact]
    public async Task A_download_may_take_longer_than_the_timeouts_of_its_call()
    {
        await using var server = await KestrelServer.StartAsync(async context =>
        {
            context.Response.ContentLength = 2;
            await context.Response.Body.WriteAsync("a"u8.ToArray());
            await context.Response.Body.FlushAsync();
            await Task.Delay(700);
            await context.Response.Body.WriteAsync("b"u8.ToArray());
        });
        await using var client = new ResilientClientUnderTest(server.Uri, options =>
        {
            options.AttemptTimeout.Timeout = TimeSpan.FromMilliseconds(500);
            options.TotalRequestTimeout.Timeout = TimeSpan.FromMilliseconds(500);
            options.Retry.MaxRetryAttempts = 0;
        });

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Get(), HttpCompletionOption.ResponseHeadersRead);

        (await response.TextAsync()).ShouldBe("ab");
    }

    private static ServiceProvider ServicesFor(Uri server)
    {
        var services = new ServiceCollection();
        void Configure(HttpResilienceOptions options)
        {
            options.BaseAddress = new Uri(server, "/v1");
            options.Retry.Delay = TimeSpan.FromMilliseconds(10);
            options.Retry.UseJitter = false;
        }

        services.AddResilientHttpClient<InvoiceClient>(Configure);
        services.AddResilientHttpClient<IInvoiceClient, InvoiceClient>("invoices", Configure);
        return services.BuildServiceProvider();
    }

    private sealed record Invoice(string Number, decimal Net);

    private interface IInvoiceClient
    {
        Task PostAsync(Invoice invoice);
    }

    private sealed class InvoiceClient(HttpClient http) : IInvoiceClient
    {
        internal Task<Invoice?> GetAsync(string number) =>
            http.GetFromJsonAsync<Invoice>($"invoices/{number}", TestContext.Current.CancellationToken);

        public async Task PostAsync(Invoice invoice)
        {
            using var response = await http.PostAsJsonAsync("invoices", invoice, TestContext.Current.CancellationToken);
            response.EnsureSuccessStatusCode();
        }
    }
}
