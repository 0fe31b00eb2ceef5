namespace HttpResilience;

/// <summary>The text of an exception of the application's own code, whose message may itself throw.</summary>
internal static class SafeException
{
    extension(Exception exception)
    {
        /// <summary>Its message, or its type when the message throws.</summary>
        internal string SafeMessage
        {
            get
            {
                try
                {
                    return exception.Message;
                }
                catch (Exception)
                {
                    return $"{exception.GetType()} (its message cannot be read)";
                }
            }
        }

        /// <summary>Itself, or its type when a logger could not write it.</summary>
        internal Exception Loggable
        {
            get
            {
                try
                {
                    _ = exception.ToString();
                    return exception;
                }
                catch (Exception)
                {
                    return new InvalidOperationException(exception.SafeMessage);
                }
            }
        }
    }
}

/// <summary>The text of an exception for the log, without the secrets that the exception holds.</summary>
/// <param name="type">The type of the exception.</param>
/// <param name="message">Its message without secrets.</param>
/// <param name="text">Its text, with the stack trace and the exceptions inside it, without secrets.</param>
internal sealed class ScrubbedException(Type type, string message, string text) : Exception($"{type}: {message}")
{
    public override string ToString() => text;
}
