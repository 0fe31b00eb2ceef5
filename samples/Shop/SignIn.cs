using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace Shop;

/// <summary>A sign-in that believes everybody, for this sample only: <c>/sign-in?as=olga&amp;role=operators</c>.</summary>
internal static class SignIn
{
    private const string Form = """
        <!DOCTYPE html><html lang="en"><head><title>Sign in</title></head><body><main><h1>Sign in to the sample</h1>
        <ul><li><a href="/sign-in?as=olga&amp;role=operators">as Olga, who may change things</a></li>
        <li><a href="/sign-in?as=anna">as Anna, who may look</a></li></ul></main></body></html>
        """;

    internal static void MapSignIn(this WebApplication app) => app.MapGet(
        "/sign-in", async (HttpContext context, string? @as, string? role) =>
    {
        if (@as is not { Length: > 0 } name)
            return Results.Content(Form, "text/html; charset=utf-8");
        Claim[] claims = role is null ? [new(ClaimTypes.Name, name)] : [new(ClaimTypes.Name, name), new(ClaimTypes.Role, role)];
        await context.SignInAsync(new ClaimsPrincipal(new ClaimsIdentity(claims, CookieAuthenticationDefaults.AuthenticationScheme)));
        return Results.Redirect("/resilience");
    });
}
