using Microsoft.Extensions.Configuration;

namespace HttpResilience.Tool;

/// <summary>The settings that a simulation has: all but those that need a store, the clock of the machine or chance.</summary>
internal static class SimulatedSettings
{
    private static readonly (string Key, string Reason)[] LeftOut =
    [
        ("DeadLetter", "a call that is kept as a letter counts as failed"),
        ("Idempotency:RememberFor", "every call is another operation"),
        ("Chaos", "the host fails by its shape alone"),
        ("ErrorBudget", "a pause is taken over days"),
        ("RateLimiter", "its limits and queues follow the clock of the machine"),
    ];

    /// <param name="configuration">The settings of the application.</param>
    /// <param name="client">The client that is simulated.</param>
    /// <returns>The settings of the simulation, and the sections of the client that it lacks, with the reasons.</returns>
    internal static (IConfiguration Settings, IReadOnlyList<string> Notes) Of(IConfiguration configuration, string client)
    {
        HashSet<string> notes = [];
        List<KeyValuePair<string, string?>> kept = [];
        string own = $"{OptionPath.Clients}:{client}:";
        foreach (var (path, value) in Values(configuration.GetSection(OptionPath.Root)))
        {
            bool isOwn = path.StartsWith(own, StringComparison.OrdinalIgnoreCase);
            if (!isOwn && !path.StartsWith($"{OptionPath.Defaults}:", StringComparison.OrdinalIgnoreCase))
                continue;
            if (LeftOut.FirstOrDefault(rule => HasPart(path, rule.Key)) is { Key: { } key } rule)
            {
                // A feature that is off is not missing.
                if (!bool.FalseString.Equals(value, StringComparison.OrdinalIgnoreCase))
                    notes.Add($"{key}: {rule.Reason}");
            }
            else
                kept.Add(new(path, value));
        }

        return (new ConfigurationBuilder().AddInMemoryCollection(kept).Build(), [.. notes]);
    }

    // Of a client, a route or the defaults.
    private static bool HasPart(string path, string key) => $"{path}:".Contains($":{key}:", StringComparison.OrdinalIgnoreCase);

    // Null is a value, unless it has keys.
    private static IEnumerable<KeyValuePair<string, string?>> Values(IConfigurationSection section)
    {
        IConfigurationSection[] children = [.. section.GetChildren()];
        return children.Length == 0 ? [new(section.Path, section.Value)] : children.SelectMany(Values);
    }
}
