using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.PageTests.Browsing;

/// <summary>A shop with letters of every kind, and the addresses of its pages.</summary>
internal sealed class ShopPages : IAsyncDisposable
{
    private ShopPages(PageHost host, DeadLetter invoice, DeadLetter uncertain) => (Host, Invoice, Uncertain) = (host, invoice, uncertain);

    internal PageHost Host { get; }

    internal DeadLetter Invoice { get; }

    internal DeadLetter Uncertain { get; }

    /// <summary>Each kind of page once: its name and its address.</summary>
    internal IReadOnlyList<(string Name, string Path)> All =>
    [
        ("overview", ""), ("letters", "letters"), ("list", "letters?view=list"),
        ("filter", "letters?status=waiting&client=customers&code=abc"),
        ("group", $"groups/{Invoice.Fingerprint}"), ("letter", $"letters/{Invoice.Id}"), ("uncertain", $"letters/{Uncertain.Id}"),
        ("ask", $"groups/{Invoice.Fingerprint}/send?many=100&rate=5&stops=yes"), ("clients", "clients"), ("activity", "activity"),
        ("help", "help"), ("nowhere", "nowhere"),
        ("client", "clients/billing"), ("settings", "clients/billing?settings=all"), ("pause", "clients/billing/pause"),
        ("hold", "clients/billing/hold?host=https://api.billing.example"), ("batches", "batches"), ("alerts", "alerts"),
    ];

    internal static async Task<ShopPages> StartAsync(int invoices = 120)
    {
        var host = await PageHost.StartAsync(configure: builder =>
        {
            builder.Services.AddResilientHttpClient("billing", o => (o.DeadLetter.Enabled, o.ErrorBudget.Objective) = (true, 0.999));
            builder.Services.AddResilientHttpClient("shipping");
            builder.Services.AddHttpResilienceOperations();
        });
        await host.Services.GetRequiredService<ClientPauses>().PauseAsync("shipping", "oskar", "Their warehouse moves tonight.");
        await host.WaitForHeartbeatAsync();
        await host.Services.GetRequiredService<CircuitHolds>()
            .HoldBackAsync("billing", new("https://files.billing.example"), "oskar", "They asked us to.");
        var now = DateTimeOffset.UtcNow;
        await host.AddAsync(Enumerable.Range(20398, invoices).Select(i => ExampleLetters.Invoice(
            i, now.AddMinutes(-3 * (20398 + invoices - i)), i % 3 == 0 ? "south-example" : "north-example")));
        await host.AddAsync(Enumerable.Range(1001, 40).Select(i => ExampleLetters.Outage(i)));
        var (invoice, uncertain) = (ExampleLetters.Invoice(20600), ExampleLetters.Uncertain(7));
        await host.AddAsync(uncertain, invoice);
        return new(host, invoice, uncertain);
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
