using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>Logs a run that processed nothing, because the name of its checkpoint may belong to another source.</summary>
internal static partial class BatchNotice
{
    internal const string LogCategory = "HttpResilience.IsolatedBatch";

    internal static void NothingNew(IServiceProvider? services, string checkpoint, long count)
    {
        if (services?.GetService(typeof(ILoggerFactory)) is ILoggerFactory loggers)
            NothingNew(loggers.CreateLogger(LogCategory), SingleLine.Clean(checkpoint), count);
    }

    [LoggerMessage(
        574, LogLevel.Warning,
        "All {Count} records were skipped: an earlier run with the checkpoint {Checkpoint} has processed records with these indexes. If "
        + "the records are others, include in the name of the checkpoint what distinguishes their source, such as a hash of the file")]
    private static partial void NothingNew(ILogger logger, string checkpoint, long count);
}
