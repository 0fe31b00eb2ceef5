namespace HttpResilience.Tests.RequestLogging;

/// <summary>The lines that the factory writes by itself for every attempt.</summary>
public sealed class FactoryLoggingTests
{
    private const string Category = $"System.Net.Http.HttpClient.{Chain.Name}";

    [Fact]
    public async Task The_factorys_own_lines_are_gone()
    {
        using var chain = new Chain();

        (await chain.GetAsync()).Dispose();

        chain.Logs.Entries.ShouldNotContain(e => e.Category.StartsWith(Category, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_loggers_of_the_factory_can_be_kept()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Logging:KeepFactoryLogging"] = "true" });

        (await chain.GetAsync()).Dispose();

        chain.Logs.Entries.ShouldContain(e => e.Category == $"{Category}.LogicalHandler");
        chain.Logs.Entries.ShouldContain(e => e.Category == $"{Category}.ClientHandler");
    }
}
