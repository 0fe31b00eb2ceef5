namespace HttpResilience.Operations;

/// <summary>
/// The client that alerts are sent with: one with the chain like any other, but without alerts and an error budget of its own.
/// </summary>
internal static class AlertClient
{
    internal const string Name = "HttpResilience.Alerts";
}
