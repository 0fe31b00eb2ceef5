using System.Runtime.ExceptionServices;

namespace HttpResilience;

/// <summary>
/// The result of one of several calls made at the same time (<see cref="Settled"/>): a value, fresh or stale, or an error.
/// </summary>
public sealed class Settled<T>
{
    private readonly T _value;

    internal Settled(T value, bool isStale, HttpCall? call) => (_value, IsStale, Call) = (value, isStale, call);

    internal Settled(Exception error, HttpCall? call) => (_value, Error, Call) = (default!, error, call);

    /// <summary>There is a value.</summary>
    public bool IsSuccess => Error is null;

    /// <summary>The value.</summary>
    /// <exception cref="Exception">There is no value; the exception thrown is <see cref="Error"/> itself.</exception>
    public T Value
    {
        get
        {
            if (Error is not null)
                ExceptionDispatchInfo.Throw(Error);
            return _value;
        }
    }

    /// <summary>The exception of the call; null when there is a value.</summary>
    public Exception? Error { get; }

    /// <summary>The value was made from a stale response (<see cref="HttpCall.IsStale"/>).</summary>
    public bool IsStale { get; }

    /// <summary>
    /// The call that failed, or whose failure a stale response replaced; null when no call failed or the exception did not come from one.
    /// </summary>
    public HttpCall? Call { get; }

    /// <summary>The value, or <paramref name="other"/> when there is none.</summary>
    public T ValueOr(T other) => IsSuccess ? _value : other;

    /// <summary>Converts the value or the error into one result.</summary>
    /// <param name="value">Converts the value.</param>
    /// <param name="error">Converts the error.</param>
    public TResult Match<TResult>(Func<T, TResult> value, Func<Exception, TResult> error)
    {
        ArgumentNullException.ThrowIfNull(value);
        ArgumentNullException.ThrowIfNull(error);
        return Error is null ? value(_value) : error(Error);
    }
}
