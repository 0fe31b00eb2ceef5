using System.Net.Http.Headers;

namespace HttpResilience;

/// <summary>
/// The header fields and query parameters of a request that a letter leaves out because they carry secrets
/// (<see cref="DeadLetter.LeftOut"/>), and whether a replay has them again.
/// </summary>
internal static class LeftOutRules
{
    private const string Parameter = "?";

    /// <summary>The names of what is left out: header fields, and query parameters with a leading <c>?</c>.</summary>
    /// <param name="keyHeader">The header field of the idempotency key, which a letter stores; null when there is none.</param>
    internal static IReadOnlyList<string> Of(
        Uri? uri, IEnumerable<KeyValuePair<string, string>> headers, SecretNames names, string? keyHeader)
    {
        List<string> leftOut = [];
        foreach (var (name, value) in headers)
        {
            if (!name.Equals(keyHeader, StringComparison.OrdinalIgnoreCase)
                && (names.IsHeader(name) || Redaction.IsSecretValue(value, names)))
                Add(leftOut, name);
        }

        foreach (string name in ParametersIn(uri, names))
            Add(leftOut, Parameter + name);
        return leftOut;
    }

    /// <summary>
    /// What a letter leaves out that a person has corrected, and perhaps added a secret to. The settings of the client may not be known in
    /// the process that reviews letters.
    /// </summary>
    internal static IReadOnlyList<string> OfCorrected(DeadLetter letter) => letter.ProtectedWith is not null ? letter.LeftOut
        : [.. letter.LeftOut.Union(
            Of(letter.Uri, letter.Headers, SecretNames.BuiltIn, letter.IdempotencyHeaderName), StringComparer.OrdinalIgnoreCase)];

    /// <summary>The parameters of the query whose value is a secret, or a URI or document with one.</summary>
    internal static IEnumerable<string> ParametersIn(Uri? uri, SecretNames names)
    {
        foreach (string parameter in QueryText.Split(QueryOf(uri)))
        {
            if (QueryText.HasValue(parameter)
                && (names.IsParameter(QueryText.RawNameOf(parameter)) || SecretValues.In(QueryText.ValueOf(parameter), names).Any()))
                yield return QueryText.NameOf(parameter);
        }
    }

    /// <summary>Whether the query has a secret parameter with a value; nothing is allocated for it.</summary>
    internal static bool HasParameter(Uri? uri, SecretNames names)
    {
        var query = uri is { IsAbsoluteUri: true } ? uri.Query.AsSpan() : default;
        foreach (var range in query.TrimStart('?').SplitAny('&', ';'))
        {
            var parameter = query.TrimStart('?')[range];
            if (parameter.IndexOf('=') is >= 0 and var equals && equals < parameter.Length - 1 && names.IsParameter(parameter[..equals]))
                return true;
        }

        return false;
    }

    /// <summary>Whether a name is that of a query parameter.</summary>
    /// <param name="name">The parameter without its mark.</param>
    internal static bool IsParameter(string leftOut, out string name)
    {
        bool isParameter = leftOut.StartsWith(Parameter, StringComparison.Ordinal);
        name = isParameter ? leftOut[Parameter.Length..] : leftOut;
        return isParameter;
    }

    internal static bool IsHeader(string name, IReadOnlyList<string> leftOut) => leftOut.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The first of them that a request does not have.</summary>
    /// <returns>Null when it has all.</returns>
    internal static string? MissingIn(HttpRequestMessage request, IReadOnlyList<string> leftOut)
    {
        foreach (string item in leftOut)
        {
            bool isThere = IsParameter(item, out string name) ? HasParameter(request.RequestUri, name)
                : HasHeader(request.Headers.NonValidated, name)
                    || (request.Content is { } content && HasHeader(content.Headers.NonValidated, name));
            if (!isThere)
                return item;
        }

        return null;
    }

    /// <summary>Whether the query has a parameter, with a value.</summary>
    internal static bool HasParameter(Uri? uri, string name) => QueryText.Split(QueryOf(uri)).Any(parameter =>
        QueryText.HasValue(parameter) && QueryText.NameOf(parameter).Equals(name, StringComparison.OrdinalIgnoreCase));

    internal static bool HasHeader(HttpHeadersNonValidated headers, string name) =>
        headers.TryGetValues(name, out var values) && values.Any(value => value.Length > 0);

    private static void Add(List<string> leftOut, string name)
    {
        if (!leftOut.Contains(name, StringComparer.OrdinalIgnoreCase))
            leftOut.Add(name);
    }

    private static string QueryOf(Uri? uri) => uri is { IsAbsoluteUri: true } ? uri.Query : "";
}
