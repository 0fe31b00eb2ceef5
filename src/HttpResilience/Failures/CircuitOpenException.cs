using System.Globalization;
using System.Net;

namespace HttpResilience;

/// <summary>
/// The circuit of the host is open: the host has failed often enough that nothing is sent to it for a while. No further attempt was sent; attempts
/// from before it opened stand in the <see cref="HttpCall"/> (<c>exception.GetHttpCall()</c>), and only when there are none nothing has arrived.
/// An <see cref="HttpRequestException"/>, so what already handles a failed call handles this.
/// </summary>
public sealed class CircuitOpenException : HttpRequestException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="authority">Scheme, host and port of the host.</param>
    /// <param name="retryAfter">Until the host may be tried again; null when that is being tried right now.</param>
    /// <param name="innerException">The failure that opened the circuit, when it was this call's own.</param>
    /// <param name="tenant">The tenant whose circuit it is; null when it is the host's.</param>
    /// <param name="statusCode">The status that opened the circuit, when it was this call's own.</param>
    public CircuitOpenException(
        string authority, TimeSpan? retryAfter, string? tenant = null, Exception? innerException = null, HttpStatusCode? statusCode = null)
        : base(Describe(tenant is null ? authority : $"{authority} for tenant {tenant}", retryAfter), innerException, statusCode)
    {
        Tenant = tenant;
        Authority = authority;
        RetryAfter = retryAfter;
    }

    /// <summary>Scheme, host and port of the host, such as <c>https://api.example.com</c>.</summary>
    public string Authority { get; }

    /// <summary>The tenant whose circuit is open; null when it is the host's own.</summary>
    public string? Tenant { get; }

    /// <summary>Until the host may be tried again; null when a probe is trying that right now, or somebody has isolated it by hand.</summary>
    public TimeSpan? RetryAfter { get; }

    private static string Describe(string authority, TimeSpan? retryAfter) => retryAfter is { } wait
        ? string.Create(CultureInfo.InvariantCulture, $"The circuit of {authority} is open: nothing is sent to it for another {wait.TotalSeconds:0.0} s.")
        : $"The circuit of {authority} lets nothing through: a probe is finding out whether the host is well again, or it was isolated by hand.";
}
