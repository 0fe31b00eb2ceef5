using System.Text.Json;
using HttpResilience.Testing;

namespace InvoiceSender;

/// <summary>A webhook on a free loopback port that receives alerts as plain JSON, as an on-call tool would.</summary>
internal sealed class AlertReceiver : IAsyncDisposable
{
    private readonly FaultServer _server;

    private AlertReceiver(FaultServer server) => _server = server;

    public Uri Address => new(_server.Uri, "alerts");

    /// <summary>The alerts received so far, in order.</summary>
    public IReadOnlyList<Alert> Received =>
        [.. _server.Requests.Select(request => JsonSerializer.Deserialize(request.Body.Span, ReportJson.Default.Alert)!)];

    public static async Task<AlertReceiver> StartAsync(CancellationToken cancellationToken) => new(await FaultServer.StartAsync(
        new FaultScript(TimeProvider.System).Decide(_ => Outcome.Status(StatusCodes.Status204NoContent)), new() { KeepsConnections = true },
        cancellationToken));

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
