using System.Collections.Frozen;

namespace HttpResilience;

/// <summary>
/// The properties of the methods of IANA's registry (RFC 9110 §9.2 and §16.1.1, RFC 10008 for QUERY). An unknown method has none of them.
/// </summary>
internal static class HttpMethods
{
    // The platform compares methods without case.
    private static readonly FrozenDictionary<string, Properties> Table = new Dictionary<string, Properties>
    {
        ["GET"] = Properties.Safe | Properties.Cacheable | Properties.Known,
        ["HEAD"] = Properties.Safe | Properties.Cacheable | Properties.Known,
        ["QUERY"] = Properties.Safe | Properties.Cacheable | Properties.Known,
        ["OPTIONS"] = Properties.Safe | Properties.Known,
        ["TRACE"] = Properties.Safe | Properties.Known,
        ["PRI"] = Properties.Safe,
        ["PROPFIND"] = Properties.Safe,
        ["REPORT"] = Properties.Safe,
        ["SEARCH"] = Properties.Safe,
        ["PUT"] = Properties.Idempotent | Properties.Known,
        ["DELETE"] = Properties.Idempotent | Properties.Known,
        ["ACL"] = Properties.Idempotent,
        ["BASELINE-CONTROL"] = Properties.Idempotent,
        ["BIND"] = Properties.Idempotent,
        ["CHECKIN"] = Properties.Idempotent,
        ["CHECKOUT"] = Properties.Idempotent,
        ["COPY"] = Properties.Idempotent,
        ["LABEL"] = Properties.Idempotent,
        ["LINK"] = Properties.Idempotent,
        ["MERGE"] = Properties.Idempotent,
        ["MKACTIVITY"] = Properties.Idempotent,
        ["MKCALENDAR"] = Properties.Idempotent,
        ["MKCOL"] = Properties.Idempotent,
        ["MKREDIRECTREF"] = Properties.Idempotent,
        ["MKWORKSPACE"] = Properties.Idempotent,
        ["MOVE"] = Properties.Idempotent,
        ["ORDERPATCH"] = Properties.Idempotent,
        ["PROPPATCH"] = Properties.Idempotent,
        ["REBIND"] = Properties.Idempotent,
        ["UNBIND"] = Properties.Idempotent,
        ["UNCHECKOUT"] = Properties.Idempotent,
        ["UNLINK"] = Properties.Idempotent,
        ["UNLOCK"] = Properties.Idempotent,
        ["UPDATE"] = Properties.Idempotent,
        ["UPDATEREDIRECTREF"] = Properties.Idempotent,
        ["VERSION-CONTROL"] = Properties.Idempotent,
        ["POST"] = Properties.Known,
        ["PATCH"] = Properties.Known,
        ["CONNECT"] = Properties.Known,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The names of the registered methods.</summary>
    internal static IEnumerable<string> Names => Table.Keys;

    [Flags]
    private enum Properties
    {
        Idempotent = 1,
        ReadOnly = 2,
        Cacheable = 4,
        Known = 8,
        Safe = Idempotent | ReadOnly,
    }

    extension(HttpMethod method)
    {
        /// <summary>The method only reads (RFC 9110 §9.2.1).</summary>
        internal bool IsSafe => method.Has(Properties.Safe);

        /// <summary>The effect of several identical requests is that of one (RFC 9110 §9.2.2).</summary>
        internal bool IsIdempotent => method.Has(Properties.Idempotent);

        /// <summary>Its responses may be used for later requests (RFC 9110 §9.2.3) without an explicit freshness.</summary>
        internal bool IsCacheable => method.Has(Properties.Cacheable);

        /// <summary>The key of a cached response includes the body of the request (RFC 10008 §2.7).</summary>
        internal bool IsCachedByBody => method == HttpMethod.Query;

        /// <summary>The semantic conventions of OpenTelemetry list the method: those of RFC 9110, PATCH and QUERY.</summary>
        internal bool IsKnownToTelemetry => method.Has(Properties.Known);

        private bool Has(Properties properties) => Table.TryGetValue(method.Method, out var own) && (own & properties) == properties;
    }
}
