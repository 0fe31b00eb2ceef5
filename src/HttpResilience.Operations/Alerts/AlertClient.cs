namespace HttpResilience.Operations;

/// <summary>The client that sends alerts: it has the chain, but no alerts and no error budget.</summary>
internal static class AlertClient
{
    internal const string Name = "HttpResilience.Alerts";
}
