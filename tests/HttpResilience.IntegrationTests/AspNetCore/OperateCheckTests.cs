using System.Security.Claims;
using HttpResilience.AspNetCore;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.AspNetCore;

/// <summary>Each rule of <see cref="OperateCheck"/>.</summary>
public sealed class OperateCheckTests
{
    [Theory]
    [InlineData(ClaimTypes.Name, "anna", "anna")]
    [InlineData("sub", "0017", "0017")]
    [InlineData(ClaimTypes.NameIdentifier, "0018", "0018")]
    [InlineData(ClaimTypes.Name, "  anna  ", "anna")]
    [InlineData(ClaimTypes.Name, "anna\r\nroot: all", "anna  root: all")]
    [InlineData(ClaimTypes.Name, "anna\u202ecode", "annacode")]
    [InlineData(ClaimTypes.Name, " ", null)]
    [InlineData(ClaimTypes.Name, "\u200b", null)]
    [InlineData("email", "anna@example.com", null)]
    public async Task The_name_is_that_of_the_identity_or_its_subject(string claim, string value, string? name) =>
        (await AskAsync("operators", null, new Claim(claim, value), Operators)).Name.ShouldBe(name);

    [Fact]
    public async Task The_application_can_say_who_it_is() => (await AskAsync(
        "operators", user => user.FindFirst("email")?.Value, new Claim("email", "anna@example.com"), Operators)).Name
        .ShouldBe("anna@example.com");

    [Fact]
    public async Task A_long_name_is_cut() =>
        (await AskAsync("operators", _ => new string('x', 1000), Operators)).Name!.Length.ShouldBe(200);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("no such policy")]
    public async Task Without_a_policy_that_exists_nobody_may(string? policy)
    {
        var answer = await AskAsync(policy, null, new Claim(ClaimTypes.Name, "anna"), Operators);

        answer.Name.ShouldBeNull();
        answer.Refusal.ShouldNotBeNull().ShouldStartWith("Nobody may change anything");
    }

    [Fact]
    public async Task Who_does_not_satisfy_the_policy_may_not()
    {
        var answer = await AskAsync("operators", null, new Claim(ClaimTypes.Name, "anna"));

        answer.ShouldBe(new(null, "Changing something needs the policy 'operators'."));
    }

    [Fact]
    public async Task A_host_without_authorization_lets_nobody()
    {
        var context = new DefaultHttpContext { RequestServices = new ServiceCollection().BuildServiceProvider() };

        (await new OperateCheck("operators", _ => "anna").AskAsync(context)).Name.ShouldBeNull();
    }

    private static Claim Operators => new(ClaimTypes.Role, "operators");

    private static Task<OperateAnswer> AskAsync(string? policy, Func<ClaimsPrincipal, string?>? who, params Claim[] claims)
    {
        var services = new ServiceCollection().AddLogging().AddAuthorizationCore(
            o => o.AddPolicy("operators", p => p.RequireRole("operators"))).BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = services, User = new(new ClaimsIdentity(claims, "test")) };
        return new OperateCheck(policy, who).AskAsync(context);
    }
}
