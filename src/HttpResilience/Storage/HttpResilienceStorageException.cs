namespace HttpResilience;

/// <summary>A durable store could not do what was asked of it: it cannot be reached, is full, or the database is not one that this version can use.</summary>
/// <param name="message">What is wrong with which database, and what to do about it.</param>
/// <param name="innerException">What the database said; null when it said nothing.</param>
public sealed class HttpResilienceStorageException(string message, Exception? innerException = null) : Exception(message, innerException);
