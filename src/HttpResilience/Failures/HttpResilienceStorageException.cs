namespace HttpResilience.Storage;

/// <summary>
/// An operation of a durable store failed: the database cannot be reached, is full, or is not one that this version can use.
/// </summary>
/// <param name="message">The database, what is wrong with it, and what to do about it.</param>
/// <param name="innerException">The error of the database; null when there is none.</param>
public sealed class HttpResilienceStorageException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>
    /// The change may have been made nevertheless: it was sent, and its answer was lost. Default: false, it was not made.
    /// </summary>
    public bool MayHaveBeenMade { get; init; }
}
