namespace HttpResilience;

/// <summary>The path of a call for the log.</summary>
internal static class RedactedPath
{
    extension(Redaction redaction)
    {
        /// <summary>The template of the tag <c>url.template</c>, else the path without the values of the query.</summary>
        internal string PathOf(HttpRequestMessage request, HttpCall call) =>
            redaction.PathOf(request, call.Tags.TryGetValue("url.template", out object? template) ? template?.ToString() : null);
    }
}
