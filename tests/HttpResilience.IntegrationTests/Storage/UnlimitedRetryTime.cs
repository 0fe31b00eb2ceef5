namespace HttpResilience.IntegrationTests.Storage;

/// <summary>
/// Retries are limited by their number alone: no time passes between them, however busy the machine is. Timers run as usual.
/// </summary>
internal sealed class UnlimitedRetryTime : TimeProvider
{
    public override long GetTimestamp() => 0;
}
