using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Refit;

namespace HttpResilience.IntegrationTests;

/// <summary>Refit names its clients after their types and assembly versions: settings and letters hang on a name of their own.</summary>
public sealed class RefitSettingsTests
{
    public interface IPartner
    {
        [Post("/orders")]
        Task<IApiResponse> OrderAsync([Body] Order order, CancellationToken cancellationToken);
    }

    public sealed record Order(int Number);

    [Fact]
    public async Task Settings_state_and_letters_go_by_the_name_that_the_application_gives()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var server = await KestrelServer.StartAsync(Reply.With(503), Reply.With(503), Reply.Ok());
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(
        [
            new("HttpResilience:Clients:partner:BaseAddress", server.Uri.ToString()),
            new("HttpResilience:Clients:partner:Retry:MaxRetryAttempts", "1"),
            new("HttpResilience:Clients:partner:Retry:Delay", "00:00:00.010"),
            new("HttpResilience:Clients:partner:DeadLetter:Enabled", "true"),
        ]);
        builder.Services.AddHttpResilienceStorage(storage => storage.UseInMemory());
        var client = builder.Services.AddRefitGeneratedClient<IPartner>().AddResilience("partner");
        client.Name.ShouldContain("IPartner");
        using var host = builder.Build();
        await host.StartAsync(stop);

        using var response = await host.Services.GetRequiredService<IPartner>().OrderAsync(new(1), stop);

        ((int)response.StatusCode!).ShouldBe(503);
        host.Services.GetRequiredService<IResilientClients>().List().ShouldHaveSingleItem().Name.ShouldBe("partner");
        host.Services.GetRequiredService<ICircuits>().List("partner").ShouldHaveSingleItem();
        var review = host.Services.GetRequiredService<IDeadLetterReview>();
        var letter = (await review.ListAsync(new(), stop)).ShouldHaveSingleItem();
        letter.ClientName.ShouldBe("partner");
        (await review.SendAsync(letter.Id, "alice", stop)).Status.ShouldBe(DeadLetterStatus.Replayed);
        server.Requests.Select(r => r.Text).ShouldBe(Enumerable.Repeat("{\"number\":1}", 3));
        server.Requests.Select(r => r.Key).Distinct().ShouldHaveSingleItem();
        await host.StopAsync(stop);
    }
}
