using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HttpResilience.AspNetCore;

/// <summary>What a corrected letter may have: a person who corrects data must neither send credentials elsewhere nor keep some.</summary>
internal sealed class ClientRules(IServiceProvider services)
{
    /// <exception cref="ApiProblemException">422, with the fields that are not valid.</exception>
    internal DeadLetter Apply(DeadLetter letter, ResubmitRequest request)
    {
        List<FilterProblem> problems = [];
        var corrected = CorrectionRules.Apply(letter, request, HostsOf(letter), NamesOf(letter.ClientName).IsHeader, problems);
        return problems.Count == 0 ? corrected : throw ApiProblemException.NotValid(problems);
    }

    /// <summary>The names that carry secrets by the settings of a client, where this process has it.</summary>
    private SecretNames NamesOf(string clientName) => OptionsOf(clientName)?.Logging is { } logging
        ? new(logging.RedactedHeaders, [], logging.AllowedQueryParameters) : SecretNames.BuiltIn;

    /// <summary>The letter's own host, the base address of its client, and <c>DeadLetter:AllowedAuthorities</c>.</summary>
    private HashSet<string> HostsOf(DeadLetter letter)
    {
        HashSet<string> hosts = [letter.Authority];
        if (OptionsOf(letter.ClientName) is not { } options)
            return hosts;
        hosts.UnionWith(options.DeadLetter.AllowedAuthorities.Select(allowed => LetterHost.Of(new Uri(allowed))).OfType<string>());
        using var client = services.GetRequiredService<IHttpClientFactory>().CreateClient(letter.ClientName);
        if (client.BaseAddress is { } address && LetterHost.Of(address) is { } host)
            hosts.Add(host);
        return hosts;
    }

    private HttpResilienceOptions? OptionsOf(string clientName) => services.GetService<IResilientClients>()?.Find(clientName) is null ? null
        : services.GetRequiredService<IOptionsMonitor<HttpResilienceOptions>>().Get(clientName);
}
