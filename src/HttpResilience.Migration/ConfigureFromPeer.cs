using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HttpResilience.Migration;

/// <summary>Takes the options of a client over from its standard handler, and refuses what has no counterpart.</summary>
internal sealed class ConfigureFromPeer(IServiceProvider services, MigratedClient client)
    : IConfigureNamedOptions<HttpResilienceOptions>, IValidateOptions<HttpResilienceOptions>
{
    public void Configure(HttpResilienceOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, HttpResilienceOptions options)
    {
        if (IsFor(name))
            PeerMapping.Apply(PeerOptions.Read(services, client), options);
    }

    public ValidateOptionsResult Validate(string? name, HttpResilienceOptions options)
    {
        if (!IsFor(name))
            return ValidateOptionsResult.Skip;
        List<string> problems = [.. UnsupportedOptions.In(PeerOptions.Read(services, client))
            .Select(problem => $"Client '{name}': UseHttpResilience cannot take over {problem}.")];
        if (client.Name is { } own && services.GetRequiredService<IResilientClients>().Names is { } names && !names.Contains(own))
        {
            problems.Add($"Client '{name}': UseHttpResilience knows it by this name, and AddResilience(settingsName) gives it another one. "
                + "Give it a section instead: AddResilience(section).");
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private bool IsFor(string? name) =>
        services.GetRequiredService<MigratedClients>().Find(name ?? Options.DefaultName) is { } registered
            && registered.Name == client.Name && registered.OptionsName == client.OptionsName;
}
