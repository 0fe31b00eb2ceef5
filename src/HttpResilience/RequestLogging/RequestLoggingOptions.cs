using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>The log of calls: one event per call, when it ends. Section <c>Logging</c>.</summary>
public sealed class RequestLoggingOptions
{
    /// <summary>
    /// The level of the event of a call that succeeded. A failed one is a Warning. Default <see cref="LogLevel.Information"/>.
    /// </summary>
    public LogLevel Level { get; set; } = LogLevel.Information;

    /// <summary>The level of the event of a retry. Default <see cref="LogLevel.Debug"/>.</summary>
    public LogLevel RetryLevel { get; set; } = LogLevel.Debug;

    /// <summary>Whether the four log lines of the factory per attempt are kept. Default false.</summary>
    public bool KeepFactoryLogging { get; set; }

    /// <summary>
    /// The maximum length of the logged body of a failed response: 0 (none) to 65536 bytes; default 2048. Of a problem (RFC 9457), title
    /// and detail are logged.
    /// </summary>
    public int ErrorBodyBytes { get; set; } = 2048;

    /// <summary>
    /// Secret header fields in addition to those that the library knows by their names, in the same way as <c>DeadLetter:SecretHeaders</c>:
    /// they are neither logged nor stored. Default none.
    /// </summary>
    public IList<string> RedactedHeaders { get; set; } = [];

    /// <summary>Query parameters whose values may be logged. Default none.</summary>
    public IList<string> AllowedQueryParameters { get; set; } = [];

    internal static OptionKeys<RequestLoggingOptions> Keys => new OptionKeys<RequestLoggingOptions>()
        .Choice(nameof(Level), o => o.Level, (o, v) => o.Level = v)
        .Choice(nameof(RetryLevel), o => o.RetryLevel, (o, v) => o.RetryLevel = v)
        .Boolean(nameof(KeepFactoryLogging), o => o.KeepFactoryLogging, (o, v) => o.KeepFactoryLogging = v)
        .Integer(nameof(ErrorBodyBytes), o => o.ErrorBodyBytes, (o, v) => o.ErrorBodyBytes = v, 0, 65536)
        .Tokens(nameof(RedactedHeaders), o => o.RedactedHeaders, (o, v) => o.RedactedHeaders = v)
        .Texts(nameof(AllowedQueryParameters), o => o.AllowedQueryParameters, (o, v) => o.AllowedQueryParameters = v);
}
