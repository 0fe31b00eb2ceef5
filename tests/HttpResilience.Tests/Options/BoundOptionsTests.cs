using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace HttpResilience.Tests.Options;

/// <summary>Options that code reads from a source of its own are read again when that source has changed.</summary>
public sealed class BoundOptionsTests
{
    [Theory]
    [InlineData(Chain.Name, 1)]
    [InlineData(null, 1)]
    [InlineData("other", 5)]
    public void A_change_of_a_source_of_the_application_is_in_force(string? name, int attempts)
    {
        var source = new Source(name);
        using var chain = new Chain(services: s => s
            .Configure<HttpResilienceOptions>(Chain.Name, o => o.Retry.MaxRetryAttempts = source.Value)
            .AddSingleton<IOptionsChangeTokenSource<HttpResilienceOptions>>(source));
        var options = chain.Services.GetRequiredService<IOptionsMonitor<HttpResilienceOptions>>();
        chain.State.Policy.Retry.MaxRetryAttempts.ShouldBe(5);

        source.Change(1);

        chain.State.Policy.Retry.MaxRetryAttempts.ShouldBe(attempts);
        options.Get(Chain.Name).Retry.MaxRetryAttempts.ShouldBe(attempts);
    }

    [Fact]
    public void A_change_that_is_not_valid_keeps_what_is_in_force()
    {
        var source = new Source(Chain.Name);
        using var chain = new Chain(services: s => s
            .Configure<HttpResilienceOptions>(Chain.Name, o => o.Retry.MaxRetryAttempts = source.Value)
            .AddSingleton<IOptionsChangeTokenSource<HttpResilienceOptions>>(source));
        _ = chain.State;

        source.Change(-1);
        chain.State.Policy.Retry.MaxRetryAttempts.ShouldBe(5);
        chain.Logs.WithId(403).ShouldHaveSingleItem();
        source.Change(2);
        chain.State.Policy.Retry.MaxRetryAttempts.ShouldBe(2);
    }

    private sealed class Source(string? name) : IOptionsChangeTokenSource<HttpResilienceOptions>
    {
        private ConfigurationReloadToken _token = new();

        internal int Value { get; private set; } = 5;

        public string? Name => name;

        public IChangeToken GetChangeToken() => _token;

        internal void Change(int value)
        {
            Value = value;
            Interlocked.Exchange(ref _token, new()).OnReload();
        }
    }
}
