using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HttpResilience.Migration;

/// <summary>Takes the options of a client over from its standard handler, and refuses what has no counterpart.</summary>
/// <param name="registered">What the application has registered.</param>
internal sealed class ConfigureFromPeer(IServiceProvider services, MigratedClient client, IServiceCollection registered)
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
        var settings = PeerOptions.Read(services, client);
        IEnumerable<string> unsupported = UnsupportedOptions.In(settings);
        if (!HasPeerClassifier(name ?? Options.DefaultName))
            unsupported = unsupported.Concat(UnsupportedOptions.BesideClassifier(settings));
        string subject = client.Name is null && name == Options.DefaultName ? "All clients" : $"Client '{name}'";
        List<string> problems = [.. unsupported.Select(problem => $"{subject}: UseHttpResilience cannot take over {problem}.")];
        if (client.Name is { } own && services.GetRequiredService<IResilientClients>().Names is { } names && !names.Contains(own))
        {
            problems.Add($"Client '{name}': UseHttpResilience knows it by this name, and AddResilience(settingsName) gives it another one. "
                + "Give it a section instead: AddResilience(section).");
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    // By what is registered: a classifier may itself need the client, whose options these are.
    private bool HasPeerClassifier(string name)
    {
        ServiceDescriptor[] all = [.. registered.Where(d => d.ServiceType == typeof(IFailureClassifier))];
        var own = all.LastOrDefault(d => d.IsKeyedService && Equals(d.ServiceKey, name));
        var type = own is null ? all.LastOrDefault(d => !d.IsKeyedService)?.ImplementationType : own.KeyedImplementationType;
        return type == typeof(PeerClassifier);
    }

    private bool IsFor(string? name) =>
        services.GetRequiredService<MigratedClients>().Find(name ?? Options.DefaultName) is { } registered
            && registered.Name == client.Name && registered.OptionsName == client.OptionsName;
}
