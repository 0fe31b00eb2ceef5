using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>Whether a person may change something, and the name that is written down.</summary>
/// <param name="policy">The authorization policy for changes; null refuses every change.</param>
/// <param name="who">The name of a person; null for the name of the identity, else its subject claim.</param>
internal sealed class OperateCheck(string? policy, Func<ClaimsPrincipal, string?>? who)
{
    private const int MaxName = 200;

    internal async Task<OperateAnswer> AskAsync(HttpContext context)
    {
        if (string.IsNullOrWhiteSpace(policy))
            return new(null, "Nobody may change anything: the application sets no OperatePolicy.");
        if (context.RequestServices.GetService<IAuthorizationService>() is not { } authorization
            || context.RequestServices.GetService<IAuthorizationPolicyProvider>() is not { } policies
            || await policies.GetPolicyAsync(policy).ConfigureAwait(false) is not { } required)
            return new(null, $"Nobody may change anything: the application has no authorization policy '{policy}'.");
        if (!(await authorization.AuthorizeAsync(context.User, context, required).ConfigureAwait(false)).Succeeded)
            return new(null, $"Changing something needs the policy '{policy}'.");
        return NameOf(context.User) is { Length: > 0 } name ? new(name, null)
            : new(null, "You have no name that could be written down with what you do: the application sets it with Who.");
    }

    private string NameOf(ClaimsPrincipal user)
    {
        string? name = who is not null ? who(user)
            : user.Identity?.Name ?? user.FindFirst("sub")?.Value ?? user.FindFirst(ClaimTypes.NameIdentifier)?.Value;
        string cleaned = SingleLine.Clean(name ?? "").Trim();
        return cleaned.Length <= MaxName ? cleaned : cleaned[..MaxName];
    }
}

/// <summary>Whether a person may change something.</summary>
/// <param name="Name">The name; null when the person may not.</param>
/// <param name="Refusal">Why not; null when the person may.</param>
internal readonly record struct OperateAnswer(string? Name, string? Refusal);
