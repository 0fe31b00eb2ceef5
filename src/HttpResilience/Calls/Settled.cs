using System.Runtime.ExceptionServices;

namespace HttpResilience;

/// <summary>What became of one of several calls that were made at once (<see cref="Settled"/>): a value, fresh or stale, or an error.</summary>
public sealed class Settled<T>
{
    private readonly T _value;

    internal Settled(T value, bool isStale, HttpCall? call) => (_value, IsStale, Call) = (value, isStale, call);

    internal Settled(Exception error, HttpCall? call) => (_value, Error, Call) = (default!, error, call);

    /// <summary>There is a value.</summary>
    public bool IsSuccess => Error is null;

    /// <summary>The value.</summary>
    /// <exception cref="Exception">There is none: what is thrown is <see cref="Error"/> itself.</exception>
    public T Value
    {
        get
        {
            if (Error is not null)
                ExceptionDispatchInfo.Throw(Error);
            return _value;
        }
    }

    /// <summary>What was thrown; null when there is a value.</summary>
    public Exception? Error { get; }

    /// <summary>A response from before went into the value (<see cref="HttpCall.IsStale"/>).</summary>
    public bool IsStale { get; }

    /// <summary>The call that failed, or failed and was answered with a stale response; null when none did, or what failed was no call.</summary>
    public HttpCall? Call { get; }

    /// <summary>The value, or another one when there is none.</summary>
    public T ValueOr(T other) => IsSuccess ? _value : other;

    /// <summary>Makes one thing of either.</summary>
    /// <param name="value">Of the value.</param>
    /// <param name="error">Of the error.</param>
    public TResult Match<TResult>(Func<T, TResult> value, Func<Exception, TResult> error)
    {
        ArgumentNullException.ThrowIfNull(value);
        ArgumentNullException.ThrowIfNull(error);
        return Error is null ? value(_value) : error(Error);
    }
}
