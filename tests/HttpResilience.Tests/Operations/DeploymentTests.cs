using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Operations;

public sealed class DeploymentTests
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 2, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("1.2.3+0af7651916cd43dd", "1.2.3")]
    [InlineData("1.2.3-beta.1", "1.2.3-beta.1")]
    [InlineData("+0af7", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void Build_metadata_is_not_part_of_the_version(string? informational, string? version) =>
        Deployment.Shorten(informational).ShouldBe(version);

    [Theory, InlineData(" 2030-01-02.7 ", "2030-01-02.7"), InlineData(" ", null), InlineData(null, null)]
    public void The_version_of_the_application_takes_precedence(string? configured, string? version)
    {
        using var chain = new Chain(services: s => s.AddHttpResilienceOperations()
            .Configure<AlertOptions>(o => o.DeploymentVersion = configured));
        string ofProgram = Deployment.VersionOf(null);

        chain.Services.GetRequiredService<Deployment>().Version.ShouldBe(version ?? ofProgram);
        ofProgram.ShouldNotBeNullOrWhiteSpace();
        ofProgram.ShouldNotContain('+');
    }

    [Fact]
    public void The_previous_version_is_the_other_one_that_started_last()
    {
        var deployment = new Deployment(new Lazy<string>("2.0"));
        (deployment.Since, deployment.Before).ShouldBe((null, null));

        deployment.Learn([new("2.0", Noon.AddHours(-1), Noon), new("1.9", Noon.AddDays(-9), Noon.AddDays(-1)),
            new("1.8", Noon.AddDays(-8), Noon.AddDays(-2))]);

        (deployment.Since, deployment.Before!.Version).ShouldBe((Noon.AddHours(-1), "1.9"));
    }
}
