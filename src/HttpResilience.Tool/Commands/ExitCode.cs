namespace HttpResilience.Tool;

/// <summary>How the tool ends.</summary>
internal static class ExitCode
{
    /// <summary>What was asked for was done.</summary>
    internal const int Done = 0;

    /// <summary>It was refused, it failed, or there was nothing to do.</summary>
    internal const int Failed = 1;

    /// <summary>The command line is wrong, or a question could not be asked.</summary>
    internal const int Usage = 2;

    /// <summary>The store cannot be reached or used.</summary>
    internal const int StoreAway = 3;

    /// <summary>Interrupted, as shells report it for SIGINT.</summary>
    internal const int Interrupted = 130;
}
