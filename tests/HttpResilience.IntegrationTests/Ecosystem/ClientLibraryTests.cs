using System.Net.Http.Json;
using Autofac;
using Autofac.Extensions.DependencyInjection;
using Azure.Core;
using Azure.Core.Pipeline;
using Flurl.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Polly;
using Refit;
using RestSharp;

namespace HttpResilience.IntegrationTests.Ecosystem;

public class TypedClientLibraryTests : ClientLibraryContract
{
    private protected override ILibraryClient Open(HttpClient http) => new OrderClient(http);

    private protected override ILibraryClient Open(IServiceProvider services, string name) =>
        services.GetRequiredService<ITypedHttpClientFactory<OrderClient>>().CreateClient(
            services.GetRequiredService<IHttpClientFactory>().CreateClient(name));

    internal sealed class OrderClient(HttpClient http) : ILibraryClient
    {
        public async Task<LibraryResponse> GetAsync(CancellationToken cancellationToken)
        {
            using var response = await http.GetAsync("orders", cancellationToken);
            return await ReadAsync(response, cancellationToken);
        }

        public async Task<LibraryResponse> PostJsonAsync(Order order, CancellationToken cancellationToken)
        {
            using var response = await http.PostAsJsonAsync("orders", order, cancellationToken);
            return await ReadAsync(response, cancellationToken);
        }

        public async Task<LibraryResponse> PostStreamAsync(Stream stream, CancellationToken cancellationToken)
        {
            using var response = await http.PostAsync("orders", new StreamContent(stream), cancellationToken);
            return await ReadAsync(response, cancellationToken);
        }

        public void Dispose() => http.Dispose();

        private static async Task<LibraryResponse> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken) =>
            new((int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
    }
}

/// <summary>The container of Autofac instead of Microsoft's.</summary>
public sealed class AutofacTests : TypedClientLibraryTests
{
    private protected override IServiceProvider Build(IServiceCollection services)
    {
        var builder = new ContainerBuilder();
        builder.Populate(services);
        return new AutofacServiceProvider(builder.Build());
    }
}

/// <summary>A policy of Microsoft.Extensions.Http.Polly that does not repeat, inside the chain.</summary>
public sealed class PolicyHandlerTests : TypedClientLibraryTests
{
    private protected override void AddInside(IHttpClientBuilder builder) =>
        builder.AddPolicyHandler(Policy.TimeoutAsync<HttpResponseMessage>(TimeSpan.FromMinutes(1)));
}

/// <summary>A pipeline of Microsoft.Extensions.Http.Resilience that does not repeat, inside the chain.</summary>
public sealed class CustomPipelineTests : TypedClientLibraryTests
{
    private protected override void AddInside(IHttpClientBuilder builder) =>
        builder.AddResilienceHandler("mine", pipeline => pipeline.AddTimeout(TimeSpan.FromMinutes(1)));
}

public sealed class TestServerTests : TypedClientLibraryTests
{
    private protected override async Task<IRecordingServer> StartAsync(params RequestDelegate[] steps) =>
        await InProcessServer.StartAsync(steps);
}

public sealed class RestSharpTests : ClientLibraryContract
{
    private protected override ILibraryClient Open(HttpClient http) => new Library(new RestClient(http, disposeHttpClient: true));

    private sealed class Library(RestClient client) : ILibraryClient
    {
        public Task<LibraryResponse> GetAsync(CancellationToken cancellationToken) => SendAsync(new("orders"), cancellationToken);

        public Task<LibraryResponse> PostJsonAsync(Order order, CancellationToken cancellationToken) =>
            SendAsync(new RestRequest("orders", Method.Post).AddJsonBody(order), cancellationToken);

        public Task<LibraryResponse> PostStreamAsync(Stream stream, CancellationToken cancellationToken) =>
            SendAsync(new RestRequest("orders", Method.Post).AddFile("file", () => stream, "orders.csv"), cancellationToken);

        public void Dispose() => client.Dispose();

        private async Task<LibraryResponse> SendAsync(RestRequest request, CancellationToken cancellationToken)
        {
            var response = await client.ExecuteAsync(request, cancellationToken);
            return response.StatusCode == 0 ? throw response.ErrorException! : new((int)response.StatusCode, response.Content!);
        }
    }
}

public sealed class FlurlTests : ClientLibraryContract
{
    private protected override ILibraryClient Open(HttpClient http) => new Library(new FlurlClient(http));

    private sealed class Library(FlurlClient client) : ILibraryClient
    {
        public Task<LibraryResponse> GetAsync(CancellationToken cancellationToken) =>
            ReadAsync(Request().GetAsync(cancellationToken: cancellationToken));

        public Task<LibraryResponse> PostJsonAsync(Order order, CancellationToken cancellationToken) =>
            ReadAsync(Request().PostJsonAsync(order, cancellationToken: cancellationToken));

        public Task<LibraryResponse> PostStreamAsync(Stream stream, CancellationToken cancellationToken) =>
            ReadAsync(Request().PostAsync(new StreamContent(stream), cancellationToken: cancellationToken));

        public void Dispose() => client.Dispose();

        private IFlurlRequest Request() => client.Request("orders").AllowAnyHttpStatus();

        private static async Task<LibraryResponse> ReadAsync(Task<IFlurlResponse> sending)
        {
            using var response = await sending;
            return new(response.StatusCode, await response.GetStringAsync());
        }
    }
}

/// <summary>The pipeline under the Azure SDKs, which repeats calls by itself unless it is told not to.</summary>
public sealed class AzureCoreTests : ClientLibraryContract
{
    private protected override ILibraryClient Open(HttpClient http) => new Library(http);

    [Theory, InlineData(false, 4), InlineData(true, 16)]
    public async Task An_sdk_that_repeats_by_itself_multiplies_the_requests(bool repeats, int requests)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable);
        var services = new ServiceCollection();
        services.AddResilientHttpClient("blobs", o =>
        {
            (o.BaseAddress, o.Retry.Delay) = (server.Uri, TimeSpan.FromMilliseconds(1));
            (o.CircuitBreaker.BreakDuration, o.Retry.Budget.RetryRatio) = (null, null);
        });
        await using var provider = services.BuildServiceProvider();
        using var client = new Library(provider.GetRequiredService<IHttpClientFactory>().CreateClient("blobs"), repeats);

        (await client.GetAsync(Token)).Status.ShouldBe(503);

        server.Requests.Count.ShouldBe(requests);
    }

    private sealed class Library(HttpClient http, bool repeats = false) : ILibraryClient
    {
        private readonly HttpPipeline _pipeline = HttpPipelineBuilder.Build(new Options(http, repeats));

        public Task<LibraryResponse> GetAsync(CancellationToken cancellationToken) =>
            SendAsync(RequestMethod.Get, null, cancellationToken);

        public Task<LibraryResponse> PostJsonAsync(Order order, CancellationToken cancellationToken) =>
            SendAsync(RequestMethod.Post, RequestContent.Create(order), cancellationToken);

        // Azure.Core itself takes streams that can seek only.
        public async Task<LibraryResponse> PostStreamAsync(Stream stream, CancellationToken cancellationToken)
        {
            var seekable = new MemoryStream();
            await stream.CopyToAsync(seekable, cancellationToken);
            seekable.Position = 0;
            return await SendAsync(RequestMethod.Post, RequestContent.Create(seekable), cancellationToken);
        }

        public void Dispose() => http.Dispose();

        private async Task<LibraryResponse> SendAsync(RequestMethod method, RequestContent? content, CancellationToken cancellationToken)
        {
            using var message = _pipeline.CreateMessage();
            message.Request.Method = method;
            message.Request.Uri.Reset(new Uri(http.BaseAddress!, "orders"));
            message.Request.Content = content;
            await _pipeline.SendAsync(message, cancellationToken);
            return new(message.Response.Status, message.Response.Content.ToString());
        }
    }

    private sealed class Options : ClientOptions
    {
        internal Options(HttpClient http, bool repeats)
        {
            Transport = new HttpClientTransport(http);
            Retry.MaxRetries = repeats ? 3 : 0;
            Retry.Delay = TimeSpan.FromMilliseconds(1);
        }
    }
}

public sealed class RefitLibraryTests : ClientLibraryContract
{
    public interface IOrders
    {
        [Get("/orders")]
        Task<IApiResponse<string>> GetAsync(CancellationToken cancellationToken);

        [Post("/orders")]
        Task<IApiResponse<string>> PostAsync([Body] Order order, CancellationToken cancellationToken);

        [Post("/orders")]
        Task<IApiResponse<string>> PostAsync([Body] Stream stream, CancellationToken cancellationToken);
    }

    private protected override ILibraryClient Open(HttpClient http) => new Library(http);

    private sealed class Library(HttpClient http) : ILibraryClient
    {
        private readonly IOrders _orders = RestService.ForGenerated<IOrders>(http);

        public Task<LibraryResponse> GetAsync(CancellationToken cancellationToken) => ReadAsync(_orders.GetAsync(cancellationToken));

        public Task<LibraryResponse> PostJsonAsync(Order order, CancellationToken cancellationToken) =>
            ReadAsync(_orders.PostAsync(order, cancellationToken));

        public Task<LibraryResponse> PostStreamAsync(Stream stream, CancellationToken cancellationToken) =>
            ReadAsync(_orders.PostAsync(stream, cancellationToken));

        public void Dispose() => http.Dispose();

        private static async Task<LibraryResponse> ReadAsync(Task<IApiResponse<string>> sending)
        {
            using var response = await sending;
            return response.StatusCode is { } status
                ? new((int)status, response.Content ?? (response.Error as ApiException)?.Content ?? "") : throw response.Error!;
        }
    }
}
