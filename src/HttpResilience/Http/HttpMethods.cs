namespace HttpResilience;

/// <summary>The properties of the standard methods (RFC 9110 §9.2). An unknown method has none of them.</summary>
internal static class HttpMethods
{
    extension(HttpMethod method)
    {
        /// <summary>The method only reads (RFC 9110 §9.2.1).</summary>
        internal bool IsSafe =>
            method == HttpMethod.Get || method == HttpMethod.Head || method == HttpMethod.Options || method == HttpMethod.Trace;

        /// <summary>The effect of several identical requests is that of one (RFC 9110 §9.2.2).</summary>
        internal bool IsIdempotent => method.IsSafe || method == HttpMethod.Put || method == HttpMethod.Delete;
    }
}
