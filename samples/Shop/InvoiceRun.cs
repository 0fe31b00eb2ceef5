using System.Globalization;

namespace Shop;

/// <summary>Sends an invoice every second; one in five has no valid VAT id.</summary>
internal sealed partial class InvoiceRun(IServiceScopeFactory scopes, IConfiguration configuration, ILogger<InvoiceRun> logger)
    : BackgroundService
{
    private static readonly string[] Customers = ["north-example", "south-example", "west-example"];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var every = configuration.GetValue("Invoices:Every", TimeSpan.FromSeconds(1));
        using var timer = new PeriodicTimer(every);
        for (int number = 20001; await timer.WaitForNextTickAsync(stoppingToken); number++)
        {
            var invoice = new Invoice(
                number.ToString(CultureInfo.InvariantCulture), Customers[number % Customers.Length],
                number % 5 == 0 ? "XX 999 99" : "DE136695976", "EUR", 10 + number % 90);
            await using var scope = scopes.CreateAsyncScope();
            try
            {
                await scope.ServiceProvider.GetRequiredService<BillingClient>().SendAsync(invoice, stoppingToken);
            }
            catch (HttpRequestException e)
            {
                // What finally fails is kept as a letter; the run goes on.
                NotSent(logger, number, e.Message);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Invoice {Number} was not accepted: {Reason}")]
    private static partial void NotSent(ILogger logger, int number, string reason);
}
