using System.Globalization;
using System.Net;

namespace HttpResilience;

/// <summary>
/// The circuit of the host is open, because the host has failed too often; no further attempt was sent. Attempts sent before the circuit
/// opened are listed in the <see cref="HttpCall"/> (<c>exception.GetHttpCall()</c>); only when there are none is it certain that the host
/// received nothing. <see cref="RejectedException.RetryAfter"/> is the time until the circuit admits a probe; null while a probe is in
/// flight or the circuit is isolated.
/// </summary>
public sealed class CircuitOpenException : RejectedException
{
    private readonly HttpAuthority _authority;
    private string? _text;

    /// <summary>Creates the exception.</summary>
    /// <param name="authority">Scheme, host and port of the host.</param>
    /// <param name="retryAfter">Time until the circuit admits a probe; null while a probe is in flight or the circuit is isolated.</param>
    /// <param name="innerException">The failure that opened the circuit, when it was this call's own.</param>
    /// <param name="tenant">The tenant whose circuit is open; null for the circuit of the host.</param>
    /// <param name="statusCode">The status that opened the circuit, when it was this call's own.</param>
    public CircuitOpenException(
        string authority, TimeSpan? retryAfter, string? tenant = null, Exception? innerException = null, HttpStatusCode? statusCode = null)
        : base(retryAfter, innerException, statusCode) => (_text, Tenant) = (authority, tenant);

    internal CircuitOpenException(
        HttpAuthority authority, TimeSpan? retryAfter, string? tenant, Exception? innerException = null, HttpStatusCode? statusCode = null)
        : base(retryAfter, innerException, statusCode) => (_authority, Tenant) = (authority, tenant);

    /// <summary>Scheme, host and port of the host, such as <c>https://api.example.com</c>.</summary>
    public override string Authority => _text ??= _authority.Host is null ? null! : _authority.ToString();

    /// <summary>The tenant whose circuit is open; null for the circuit of the host.</summary>
    public string? Tenant { get; }

    internal override StopReason StopReason => StopReason.CircuitOpen;

    internal override FailureClass FailureClass => FailureClass.Transient;

    private protected override string Describe() => Describe(
        Tenant is null ? Authority : $"{Authority}, tenant {Tenant},", RetryAfter);

    private static string Describe(string circuit, TimeSpan? retryAfter) => retryAfter is { } wait
        ? string.Create(
            CultureInfo.InvariantCulture, $"Circuit for {circuit} is open for another {wait.TotalSeconds:0.0} s; no request was sent.")
        : $"Circuit for {circuit} rejected the request: a probe is in flight, or an operator isolated the circuit.";
}
