using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>An immutable snapshot of <see cref="RequestLoggingOptions"/>.</summary>
/// <param name="secretHeaders">Those that are not stored are not logged either.</param>
/// <param name="secretQueryParameters">Likewise.</param>
internal sealed class RequestLoggingPolicy(
    RequestLoggingOptions options, IEnumerable<string> secretHeaders, IEnumerable<string> secretQueryParameters)
{
    internal LogLevel Level { get; } = options.Level;

    internal LogLevel RetryLevel { get; } = options.RetryLevel;

    internal bool KeepFactoryLogging { get; } = options.KeepFactoryLogging;

    internal int ErrorBodyBytes { get; } = options.ErrorBodyBytes;

    internal Redaction Redaction { get; } = new(
        [.. options.RedactedHeaders, .. secretHeaders], options.AllowedQueryParameters, secretQueryParameters);
}
