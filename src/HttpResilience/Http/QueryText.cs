namespace HttpResilience;

/// <summary>The parameters of a query as they stand in a URI, separated by <c>&amp;</c> or, for older servers, by <c>;</c>.</summary>
internal static class QueryText
{
    /// <param name="query">With or without its question mark.</param>
    internal static string[] Split(string query) => query.TrimStart('?').Split(['&', ';'], StringSplitOptions.RemoveEmptyEntries);

    internal static ReadOnlySpan<char> RawNameOf(ReadOnlySpan<char> parameter) =>
        parameter.IndexOf('=') is >= 0 and var equals ? parameter[..equals] : parameter;

    internal static string NameOf(string parameter) => SecretNames.ParameterName(RawNameOf(parameter).ToString());

    internal static string ValueOf(string parameter) => parameter[(parameter.IndexOf('=', StringComparison.Ordinal) + 1)..];

    internal static bool HasValue(string parameter) =>
        parameter.IndexOf('=', StringComparison.Ordinal) is >= 0 and var equals && equals < parameter.Length - 1;

    /// <summary>A path and query without some parameters; the others keep their characters and their order.</summary>
    internal static string Without(string pathAndQuery, Func<string, bool> isLeftOut)
    {
        int question = pathAndQuery.IndexOf('?', StringComparison.Ordinal);
        if (question < 0)
            return pathAndQuery;

        string kept = "";
        char before = '?';
        for (int start = question + 1; start <= pathAndQuery.Length;)
        {
            int end = pathAndQuery.IndexOfAny(['&', ';'], start);
            end = end < 0 ? pathAndQuery.Length : end;
            string parameter = pathAndQuery[start..end];
            if (!HasValue(parameter) || !isLeftOut(NameOf(parameter)))
                kept += (kept.Length == 0 ? '?' : before) + parameter;
            before = end < pathAndQuery.Length ? pathAndQuery[end] : '&';
            start = end + 1;
        }

        return pathAndQuery[..question] + kept;
    }
}
