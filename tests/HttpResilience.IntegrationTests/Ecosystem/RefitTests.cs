using Microsoft.Extensions.DependencyInjection;
using Refit;

namespace HttpResilience.IntegrationTests.Ecosystem;

/// <summary>Refit pushes JSON bodies into the connection: a content that can be written only once, without a length.</summary>
public sealed class RefitTests
{
    public interface IInvoices
    {
        [Post("/invoices")]
        Task<IApiResponse> CreateAsync([Body] Invoice invoice, CancellationToken cancellationToken);

        [Put("/invoices")]
        Task<IApiResponse> ReplaceAsync([Body(buffered: true)] Invoice invoice, CancellationToken cancellationToken);

        [Multipart, Post("/files")]
        Task<IApiResponse> UploadAsync([AliasAs("file")] StreamPart file, CancellationToken cancellationToken);

        [Post("/rows")]
        Task<IApiResponse> SendAsync([Body] IAsyncEnumerable<string> rows, CancellationToken cancellationToken);
    }

    public sealed record Invoice(int Number, string[] Lines);

    [Theory, InlineData(503), InlineData(429)]
    public async Task A_body_is_sent_again_as_it_was(int status)
    {
        await using var server = await KestrelServer.StartAsync(Reply.With(status), Reply.Abort, Reply.Ok());
        await using var services = Services(server.Uri);

        using var response = await services.GetRequiredService<IInvoices>().CreateAsync(
            new(1, ["a"]), TestContext.Current.CancellationToken);

        ((int)response.StatusCode!).ShouldBe(200);
        server.Requests.Count.ShouldBe(3);
        server.Requests.ShouldAllBe(r => r.Text == "{\"number\":1,\"lines\":[\"a\"]}");
        server.Requests.Select(r => r.Key).Distinct().ShouldHaveSingleItem().ShouldNotBeNull();
    }

    [Fact]
    public async Task Buffered_bodies_files_and_rows_are_sent_again_too()
    {
        await using var server = await KestrelServer.StartAsync(
            Reply.Unavailable, Reply.Ok(), Reply.Unavailable, Reply.Ok(), Reply.Unavailable, Reply.Ok());
        await using var services = Services(server.Uri);
        var api = services.GetRequiredService<IInvoices>();
        var stop = TestContext.Current.CancellationToken;
        using var zipped = new MemoryStream();
        await using (var zip = new System.IO.Compression.GZipStream(
            zipped, System.IO.Compression.CompressionMode.Compress, leaveOpen: true))
            zip.Write("number,net"u8);
        zipped.Position = 0;

        (await api.ReplaceAsync(new(2, []), stop)).Dispose();
        // Cannot be sought.
        await using (var file = new System.IO.Compression.GZipStream(zipped, System.IO.Compression.CompressionMode.Decompress))
            (await api.UploadAsync(new(file, "invoices.csv"), stop)).Dispose();
        (await api.SendAsync(RowsAsync(), stop)).Dispose();

        server.Requests.Count.ShouldBe(6);
        server.Requests.Chunk(2).ShouldAllBe(pair => pair[0].Body.SequenceEqual(pair[1].Body));
        server.Requests[1].Text.ShouldBe("{\"number\":2,\"lines\":[]}");
        server.Requests[3].Text.ShouldContain("number,net");
        server.Requests[5].Text.ShouldBe("[\"a\",\"b\"]");
    }

    private static async IAsyncEnumerable<string> RowsAsync()
    {
        yield return "a";
        await Task.Yield();
        yield return "b";
    }

    private static ServiceProvider Services(Uri uri)
    {
        var services = new ServiceCollection();
        services.AddLogging().AddRefitGeneratedClient<IInvoices>().ConfigureHttpClient(c => c.BaseAddress = uri)
            .AddResilience(o => (o.Retry.Delay, o.CircuitBreaker.FailureThreshold) = (TimeSpan.FromMilliseconds(10), int.MaxValue));
        return services.BuildServiceProvider();
    }
}
