using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Batches;

/// <summary>The observers that are notified of a completed batch.</summary>
public sealed class ObservedBatchTests
{
    [Fact]
    public async Task Only_observers_of_the_container_whose_client_it_calls_are_notified_of_a_batch()
    {
        Finishes ours = new(), others = new();
        using Chain chain = Open(ours), other = Open(others);

        await RunAsync(chain, new() { Name = "nightly" });

        ours.Names.ShouldBe(["nightly"]);
        others.Names.ShouldBeEmpty();
    }

    [Fact]
    public async Task Observers_of_the_container_in_its_options_are_notified_of_a_batch_without_calls()
    {
        Finishes ours = new(), others = new();
        using Chain chain = Open(ours), other = Open(others);

        await IsolatedBatch.RunAsync(
            Array.Empty<int>(), (_, _) => Task.CompletedTask, new() { Name = "nightly", Services = chain.Services },
                TestContext.Current.CancellationToken);

        ours.Names.ShouldBe(["nightly"]);
        others.Names.ShouldBeEmpty();
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task No_observer_is_notified_of_a_batch_that_has_no_name_or_stops_early(bool stops)
    {
        var finishes = new Finishes();
        using var chain = Open(finishes);
        chain.Server.Script(Replies.Status(stops ? 401 : 200));

        await RunAsync(chain, new() { Name = stops ? "nightly" : null });

        finishes.Names.ShouldBeEmpty();
    }

    private static Chain Open(CallObserver observer) => new(services: s => s.AddSingleton(observer));

    private static Task<BatchReport> RunAsync(Chain chain, BatchOptions<int> options) => IsolatedBatch.RunAsync(
        [1, 2], async (_, token) => (await chain.Client.GetAsync("invoices", token)).EnsureSuccessStatusCode(), options,
            TestContext.Current.CancellationToken);

    private sealed class Finishes : CallObserver
    {
        internal List<string> Names { get; } = [];

        protected internal override void BatchFinished(string name) => Names.Add(name);
    }
}
