using System.Net;
using System.Security.Claims;
using HttpResilience.AspNetCore;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;

namespace HttpResilience.IntegrationTests.AspNetCore;

/// <summary>Each rule of <see cref="AccessGuard"/>.</summary>
public sealed class AccessGuardTests
{
    [Fact]
    public async Task An_endpoint_with_authorization_of_its_own_passes() =>
        (await MayPassAsync(Context([new AuthorizeAttribute("staff")]))).ShouldBeTrue();

    [Fact]
    public async Task An_endpoint_with_a_policy_as_an_object_passes() =>
        (await MayPassAsync(Context([new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build()]))).ShouldBeTrue();

    [Fact]
    public async Task An_endpoint_that_the_host_opened_passes() =>
        (await MayPassAsync(Context([new AllowAnonymousAttribute()]))).ShouldBeTrue();

    [Fact]
    public async Task An_endpoint_with_neither_does_not_pass() => (await MayPassAsync(Context([]))).ShouldBeFalse();

    [Fact]
    public async Task A_fallback_policy_is_evaluated_here_too_as_nobody_else_might()
    {
        Action<IServiceCollection> fallback = services => services.AddLogging().AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        var anonymous = Context([], fallback);
        var signedIn = Context([], fallback);
        signedIn.User = new(new ClaimsIdentity([], "test"));

        (await MayPassAsync(anonymous)).ShouldBeFalse();
        (await MayPassAsync(anonymous, Environments.Development)).ShouldBeFalse();
        (await MayPassAsync(signedIn)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.8.9.1", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    [InlineData("::ffff:192.0.2.1", false)]
    [InlineData("192.0.2.1", false)]
    [InlineData("10.0.0.1", false)]
    [InlineData("fe80::1", false)]
    [InlineData(null, false)]
    public async Task In_Development_the_own_machine_passes(string? address, bool passes)
    {
        var context = Context([]);
        context.Connection.RemoteIpAddress = address is null ? null : IPAddress.Parse(address);

        (await MayPassAsync(context, Environments.Development)).ShouldBe(passes);
        (await MayPassAsync(context, Environments.Production)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("Forwarded")]
    [InlineData("forwarded")]
    [InlineData("X-Forwarded-For")]
    [InlineData("X-Original-For")]
    public async Task Behind_a_proxy_a_loopback_address_says_nothing(string header)
    {
        var context = Context([]);
        context.Request.Headers[header] = "";

        (await MayPassAsync(context, Environments.Development)).ShouldBeFalse();
    }

    private static DefaultHttpContext Context(object[] metadata, Action<IServiceCollection>? configure = null)
    {
        var services = new ServiceCollection();
        configure?.Invoke(services);
        var context = new DefaultHttpContext { RequestServices = services.BuildServiceProvider() };
        context.SetEndpoint(new(null, new(metadata), "api"));
        context.Connection.RemoteIpAddress = IPAddress.Loopback;
        return context;
    }

    private static ValueTask<bool> MayPassAsync(HttpContext context, string environment = "Production") =>
        new AccessGuard(new HostingEnvironment { EnvironmentName = environment }).MayPassAsync(context);
}
