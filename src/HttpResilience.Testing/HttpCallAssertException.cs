namespace HttpResilience.Testing;

/// <summary>An assertion of <see cref="HttpCallAssert"/> failed. Any test framework reports it as a failure.</summary>
public sealed class HttpCallAssertException : Exception
{
    /// <summary>A failed assertion.</summary>
    public HttpCallAssertException()
    {
    }

    /// <summary>A failed assertion, with what was expected and what was found.</summary>
    public HttpCallAssertException(string message)
        : base(message)
    {
    }

    /// <summary>A failed assertion with its cause.</summary>
    public HttpCallAssertException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
