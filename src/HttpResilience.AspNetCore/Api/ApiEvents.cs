using Microsoft.Extensions.Logging;

namespace HttpResilience.AspNetCore;

/// <summary>Logs what operators did, and why they could not. Never the text of a request.</summary>
internal sealed partial class ApiEvents(ILogger logger)
{
    internal const string LogCategory = "HttpResilience.Api";

    internal void Done(string by, string deed, Guid? letter) => Done(logger, by, deed, letter);

    internal void DoneTo(string by, string deed, string subject) => DoneTo(logger, by, deed, SingleLine.Clean(subject));

    internal void StoreFailed(Exception exception, string path) => StoreFailed(logger, exception, SingleLine.Clean(path));

    internal void Failed(Exception exception, string path) => Failed(logger, exception, SingleLine.Clean(path));

    [LoggerMessage(901, LogLevel.Information, "{By}: {Deed} {LetterId}")]
    private static partial void Done(ILogger logger, string by, string deed, Guid? letterId);

    [LoggerMessage(902, LogLevel.Warning, "The store did not answer a request of the API for operators: {Path}")]
    private static partial void StoreFailed(ILogger logger, Exception exception, string path);

    [LoggerMessage(903, LogLevel.Error, "A request of the API for operators failed: {Path}")]
    private static partial void Failed(ILogger logger, Exception exception, string path);

    [LoggerMessage(905, LogLevel.Information, "{By}: {Deed} of {Subject}")]
    private static partial void DoneTo(ILogger logger, string by, string deed, string subject);
}
