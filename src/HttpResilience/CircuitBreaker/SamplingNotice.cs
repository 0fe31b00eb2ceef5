using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Logs once for a client that failures of slow attempts are forgotten before the ratio of failures counts them.
/// </summary>
internal static partial class SamplingNotice
{
    internal static void Log(Client client, ILogger logger)
    {
        var policy = client.Policy;
        if (policy.CircuitBreaker is { CountsRatio: true, SamplingDuration: var sampling }
            && policy.LongestAttempt is { } timeout && sampling < timeout)
            SamplingIsShort(logger, client.Name, sampling, timeout);
    }

    [LoggerMessage(414, LogLevel.Warning,
        "{ClientName}: CircuitBreaker:SamplingDuration ({SamplingDuration}) is shorter than an attempt may take ({AttemptTimeout}); the "
        + "failures of slow attempts are not counted together")]
    private static partial void SamplingIsShort(ILogger logger, string clientName, TimeSpan samplingDuration, TimeSpan attemptTimeout);
}
