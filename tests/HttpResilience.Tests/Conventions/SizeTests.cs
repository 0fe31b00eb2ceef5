using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HttpResilience.Tests.Conventions;

/// <summary>The number of parts that a user meets: the limits are in Layers.txt.</summary>
public sealed class SizeTests(ITestOutputHelper output)
{
    private static readonly Layers Layers = new(Repository.Read("tests/HttpResilience.Tests/Conventions/Layers.txt"));

    [Fact]
    public void A_client_with_the_chain_registers_few_services()
    {
        var plain = new ServiceCollection().AddHttpClient("api").Services;
        var resilient = new ServiceCollection().AddResilientHttpClient("api").Services;

        Keep("descriptors of one client", resilient.Count - plain.Count);
        Keep("hosted services of one client", resilient.Count(d => d.ServiceType == typeof(IHostedService)));
    }

    [Fact]
    public void A_second_client_registers_no_further_hosted_service()
    {
        var services = new ServiceCollection().AddResilientHttpClient("api").Services;
        int one = services.Count(d => d.ServiceType == typeof(IHostedService));

        services.AddResilientHttpClient("other");

        services.Count(d => d.ServiceType == typeof(IHostedService)).ShouldBe(one);
    }

    [Fact]
    public void The_namespace_of_every_user_stays_small() =>
        Keep("public types in namespace HttpResilience",
            typeof(HttpCall).Assembly.GetExportedTypes().Count(t => t is { Namespace: "HttpResilience", IsNested: false }));

    private void Keep(string limit, int number)
    {
        output.WriteLine($"{limit}: {number}, {Layers.Limit(limit)} at most");
        number.ShouldBeLessThanOrEqualTo(Layers.Limit(limit), limit);
    }
}
