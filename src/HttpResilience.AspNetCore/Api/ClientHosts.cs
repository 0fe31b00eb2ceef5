using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HttpResilience.AspNetCore;

/// <summary>The hosts that a corrected letter may go to: a person who corrects data must not send credentials elsewhere.</summary>
internal sealed class ClientHosts(IServiceProvider services)
{
    /// <summary>The letter's own host, the base address of its client, and <c>DeadLetter:AllowedAuthorities</c>.</summary>
    internal IReadOnlyCollection<string> Of(DeadLetter letter)
    {
        HashSet<string> hosts = [letter.Authority];
        if (services.GetService<IResilientClients>()?.Find(letter.ClientName) is null)
            return hosts;
        var options = services.GetRequiredService<IOptionsMonitor<HttpResilienceOptions>>().Get(letter.ClientName);
        hosts.UnionWith(options.DeadLetter.AllowedAuthorities.Select(allowed => AuthorityOf(letter, new Uri(allowed))));
        using var client = services.GetRequiredService<IHttpClientFactory>().CreateClient(letter.ClientName);
        if (client.BaseAddress is { } address)
            hosts.Add(AuthorityOf(letter, address));
        return hosts;
    }

    internal static string AuthorityOf(DeadLetter letter, Uri uri) => (letter with { Uri = uri }).Authority;
}
