using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>
/// The store that is used and the database that it opens, from code and, where code does not say, from the configuration.
/// </summary>
internal sealed record StorageChoice(HttpResilienceStorageProvider Provider, string ConnectionString)
{
    internal const string Section = OptionPath.Storage;

    private static readonly string[] Keys = ["Provider", "ConnectionString", StorageApplication.Key, "Schema"];

    /// <summary>How to add a store, for the messages about a missing one.</summary>
    internal const string HowToAdd =
        "package HttpResilience.Sqlite and AddHttpResilienceStorage(storage => storage.UseSqlite(\"Data Source=resilience.db\")), "
        + "or for several machines package HttpResilience.PostgreSql and UsePostgreSql.";

    /// <summary>Adds the store that is chosen, and what it stores.</summary>
    internal static void AddTo(IServiceCollection services, HttpResilienceStorageBuilder storage)
    {
        services.Replace(
            ServiceDescriptor.Singleton(provider => From(storage, provider.GetService<IConfiguration>()).Open(provider)));
        services.TryAddSingleton(LetterProtection.StoreOf);
        services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().IdempotencyKeys);
        services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().Fallbacks);
        services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().Checkpoints);
        services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().ErrorBudgets);
        services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().Incidents);
        services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().Jobs);
        services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().Activity);
        CircuitHolds.AddTo(services);
        services.TryAddSingleton(provider => new LetterJobs(
            provider.GetRequiredService<IDeadLetterStore>(), provider.GetRequiredService<ILetterJobStore>(),
            provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton(ClientPauses.Of);
    }

    /// <exception cref="OptionsValidationException">The store or its connection string is missing.</exception>
    internal static StorageChoice From(HttpResilienceStorageBuilder storage, IConfiguration? configuration)
    {
        List<string> problems = [];
        return Find(storage, configuration, problems) ?? throw new OptionsValidationException(Section, typeof(StorageChoice), problems);
    }

    /// <returns>Null when there are problems; they are added to <paramref name="problems"/>.</returns>
    internal static StorageChoice? Find(HttpResilienceStorageBuilder storage, IConfiguration? configuration, List<string> problems)
    {
        var (providers, section) = (storage.Providers, configuration?.GetSection(Section));
        problems.AddRange((section?.GetChildren() ?? []).Where(c => !Keys.Contains(c.Key, StringComparer.OrdinalIgnoreCase))
            .Select(c => $"{c.Path} is not a known key; " + (Spelling.Similar(c.Key, Keys) is { } similar
                ? $"did you mean {Section}:{similar}?" : $"the keys here are {string.Join(", ", Keys)}.")));
        string? name = section?["Provider"] ?? (providers.Count == 1 ? providers.Keys.Single() : null);
        HttpResilienceStorageProvider? provider = null;
        if (name is null || !providers.TryGetValue(name, out provider))
            problems.Add(
                $"{Section}:Provider is {OptionPath.Show(name)}; it must be one of {string.Join(", ", providers.Keys)}, "
                + "which AddHttpResilienceStorage names.");
        string? connectionString = provider?.ConnectionString ?? section?["ConnectionString"];
        if (provider is not null && string.IsNullOrWhiteSpace(connectionString))
            problems.Add($"{Section}:ConnectionString is missing; give it there or to Use{provider.Name}.");
        if (section?["Schema"] is { } schema && !IsSchemaName(schema))
            problems.Add(
                $"{Section}:Schema is {OptionPath.Show(schema)}; it must be lower-case letters, digits and _, begin with a letter or _, "
                + "have at most 50 characters, and not begin with pg_.");
        return problems.Count == 0 ? new(provider!, connectionString!) : null;
    }

    // The channel of notifications has a longer name, and PostgreSQL allows 63 bytes.
    private static bool IsSchemaName(string name) =>
        name.Length is > 0 and <= 50 && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_')
        && !char.IsAsciiDigit(name[0]) && !name.StartsWith("pg_", StringComparison.Ordinal);

    internal IHttpResilienceStorage Open(IServiceProvider services) => Provider.Open(services, ConnectionString);
}
