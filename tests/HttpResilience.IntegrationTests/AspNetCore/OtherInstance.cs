using System.Net;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HttpResilience.IntegrationTests.AspNetCore;

/// <summary>One more process of the application, with a client <c>orders</c> and a clock of its own.</summary>
internal sealed class OtherInstance : IAsyncDisposable
{
    private readonly IHost _host;

    internal OtherInstance(Action<IServiceCollection> addStorage, bool hasOperations = true)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new() { ApplicationName = Letters.Application });
        builder.Services.AddSingleton<TimeProvider>(Time);
        addStorage(builder.Services);
        if (hasOperations)
            builder.Services.AddHttpResilienceOperations();
        builder.Services.AddResilientHttpClient("orders", o => o.DeadLetter.Enabled = true)
            .ConfigurePrimaryHttpMessageHandler(() => new Works());
        _host = builder.Build();
    }

    internal ManualTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

    internal IServiceProvider Services => _host.Services;

    internal Task StartAsync() => _host.StartAsync(TestContext.Current.CancellationToken);

    internal async Task CallAsync()
    {
        using var response = await Services.GetRequiredService<IHttpClientFactory>().CreateClient("orders")
            .GetAsync("https://api.test/", TestContext.Current.CancellationToken);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }

    private sealed class Works : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK));
    }
}
