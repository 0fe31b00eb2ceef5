using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HttpResilience.AspNetCore;

/// <summary>
/// Whether the host has set up authorization for the endpoint: one that the host forgot to protect must not be open by mistake.
/// </summary>
internal sealed class AccessGuard(IHostEnvironment environment)
{
    /// <summary>The lines that protect it, for the 403 of an unprotected one.</summary>
    internal const string HowToProtect =
        "Protect it: builder.Services.AddAuthorization(o => o.AddPolicy(\"staff\", p => p.RequireRole(\"staff\"))); "
        + "and app.MapHttpResilienceApi().RequireAuthorization(\"staff\");";

    /// <summary>
    /// The endpoint has authorization of its own or <c>AllowAnonymous()</c>, the host's fallback policy lets the caller in, or it is a
    /// developer's own machine.
    /// </summary>
    internal async ValueTask<bool> MayPassAsync(HttpContext context)
    {
        var metadata = context.GetEndpoint()?.Metadata;
        if (metadata?.GetMetadata<IAuthorizeData>() is not null || metadata?.GetMetadata<AuthorizationPolicy>() is not null
            || metadata?.GetMetadata<IAllowAnonymous>() is not null)
            return true;
        return await FallbackLetsInAsync(context).ConfigureAwait(false) ?? IsDeveloper(context);
    }

    // The guard evaluates the fallback policy itself, because without UseAuthorization no middleware does, and the router reports a missing
    // UseAuthorization for IAuthorizeData only.
    private static async Task<bool?> FallbackLetsInAsync(HttpContext context)
    {
        if (context.RequestServices.GetService<IAuthorizationPolicyProvider>() is not { } policies
            || await policies.GetFallbackPolicyAsync().ConfigureAwait(false) is not { } fallback)
            return null;
        var authorization = context.RequestServices.GetRequiredService<IAuthorizationService>();
        return (await authorization.AuthorizeAsync(context.User, context, fallback).ConfigureAwait(false)).Succeeded;
    }

    // Behind a proxy of the same machine every caller has a loopback address. UseForwardedHeaders renames the field that it has applied.
    private bool IsDeveloper(HttpContext context)
    {
        var headers = context.Request.Headers;
        return environment.IsDevelopment() && context.Connection.RemoteIpAddress is { } address && IsLoopback(address)
            && !headers.ContainsKey("Forwarded") && !headers.ContainsKey("X-Forwarded-For") && !headers.ContainsKey("X-Original-For");
    }

    private static bool IsLoopback(IPAddress address) =>
        IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}
