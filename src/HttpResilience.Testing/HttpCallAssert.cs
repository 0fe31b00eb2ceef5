using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace HttpResilience.Testing;

/// <summary>
/// Assertions about a call, for any test framework. A failed assertion throws <see cref="HttpCallAssertException"/>.
/// </summary>
public static class HttpCallAssert
{
    private const string DefaultKeyHeader = "Idempotency-Key";

    /// <summary>The call made exactly these attempts.</summary>
    /// <param name="call">From <c>response.GetHttpCall()</c>, <c>exception.GetHttpCall()</c> or <see cref="FaultScript.Calls"/>.</param>
    /// <param name="statuses">The status of each attempt, in order; null without a response. Empty: no attempt was sent.</param>
    public static void Attempts([NotNull] HttpCall? call, params int?[]? statuses)
    {
        Exists(call);
        // A single null is one attempt without a response.
        int?[] expected = statuses ?? [null];
        if (!call.Attempts.Select(a => (int?)a.StatusCode).SequenceEqual(expected))
            throw Failed(call, $"The attempts should have been {List(expected.Select(Describe))}.");
    }

    /// <summary>The call stopped for this reason.</summary>
    /// <param name="call">From <c>response.GetHttpCall()</c>, <c>exception.GetHttpCall()</c> or <see cref="FaultScript.Calls"/>.</param>
    /// <param name="reason">The reason.</param>
    public static void Stopped([NotNull] HttpCall? call, StopReason reason)
    {
        Exists(call);
        if (call.StopReason != reason)
            throw Failed(call, $"The stop reason should have been {reason}.");
    }

    /// <summary>The call ended with this kind of failure.</summary>
    /// <param name="call">From <c>response.GetHttpCall()</c>, <c>exception.GetHttpCall()</c> or <see cref="FaultScript.Calls"/>.</param>
    /// <param name="failureClass">The kind; <see cref="FailureClass.None"/> for a success.</param>
    public static void Ended([NotNull] HttpCall? call, FailureClass failureClass)
    {
        Exists(call);
        if (call.FailureClass != failureClass)
            throw Failed(call, $"The failure class should have been {failureClass}.");
    }

    /// <summary>All requests, at least one, had the same idempotency key.</summary>
    /// <param name="requests">Such as <see cref="FaultScript.Requests"/>.</param>
    /// <param name="headerName">The name of the header. Default: <c>Idempotency-Key</c>.</param>
    /// <returns>The key.</returns>
    public static string SameKeyOnEveryRequest(IEnumerable<SentRequest> requests, string headerName = DefaultKeyHeader)
    {
        ArgumentNullException.ThrowIfNull(requests);
        SentRequest[] all = [.. requests];
        string?[] keys = [.. all.Select(r => r.Headers.GetValueOrDefault(headerName)).Distinct(StringComparer.Ordinal)];
        if (keys is [{ } key])
            return key;

        string carried = List(all.Select(r => $"{r}: {r.Headers.GetValueOrDefault(headerName) ?? "no key"}"));
        throw new HttpCallAssertException($"Every request should have carried the same {headerName}. They were: {carried}.");
    }

    /// <summary>The requests have the given number of waits between them, and none is shorter than given.</summary>
    /// <param name="requests">Such as <see cref="FaultScript.Requests"/>, of one call.</param>
    /// <param name="waits">The minimum time between each request and the next.</param>
    public static void WaitedAtLeast(IEnumerable<SentRequest> requests, params TimeSpan[] waits)
    {
        ArgumentNullException.ThrowIfNull(requests);
        ArgumentNullException.ThrowIfNull(waits);
        SentRequest[] all = [.. requests];
        TimeSpan[] actual = [.. all.Zip(all.Skip(1), (before, after) => after.SentAfter - before.SentAfter)];
        if (actual.Length != waits.Length || actual.Zip(waits).Any(w => w.First < w.Second))
            throw new HttpCallAssertException(
                $"The waits should have been at least {List(waits.Select(Describe))}; they were {List(actual.Select(Describe))}.");
    }

    private static void Exists([NotNull] HttpCall? call)
    {
        if (call is null)
            throw new HttpCallAssertException("There is no call: the response or exception did not pass through the resilience chain.");
    }

    private static HttpCallAssertException Failed(HttpCall call, string expectation)
    {
        string attempts = List(call.Attempts.Select(
            a => a.ErrorType is null ? Describe((int?)a.StatusCode) : $"{Describe((int?)a.StatusCode)} ({a.ErrorType})"));
        return new($"{expectation} The call of '{call.ClientName}' made {attempts}; stop reason {call.StopReason}, "
            + $"failure class {call.FailureClass}, after {call.Elapsed}.");
    }

    private static string Describe(int? status) => status?.ToString(CultureInfo.InvariantCulture) ?? "no response";

    private static string Describe(TimeSpan wait) => wait.ToString();

    private static string List(IEnumerable<string> items)
    {
        string list = string.Join(", ", items);
        return list.Length == 0 ? "none" : list;
    }
}
