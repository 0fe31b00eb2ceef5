using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>An immutable snapshot of <see cref="RequestLoggingOptions"/>.</summary>
internal sealed class RequestLoggingPolicy(RequestLoggingOptions options, DeadLetterOptions letters)
{
    internal LogLevel Level { get; } = options.Level;

    internal LogLevel RetryLevel { get; } = options.RetryLevel;

    internal bool KeepFactoryLogging { get; } = options.KeepFactoryLogging;

    internal int ErrorBodyBytes { get; } = options.ErrorBodyBytes;

    internal Redaction Redaction { get; } = new(
        [.. options.RedactedHeaders, .. letters.SecretHeaders], options.AllowedQueryParameters, letters.SecretQueryParameters);
}
