namespace HttpResilience;

/// <summary>
/// The URI of a letter, and the characters that were sent. They differ when the application built it with
/// <see cref="UriCreationOptions.DangerousDisablePathAndQueryCanonicalization"/>: for the API <c>/a%2Fb/../c</c> may be another resource
/// than <c>/c</c>.
/// </summary>
internal static class LetterUri
{
    /// <summary>The URI as a letter holds it, without user-info and fragment, which is not sent.</summary>
    /// <param name="leftOut">The query parameters that are left out (<see cref="DeadLetter.LeftOut"/>).</param>
    /// <returns><see cref="DeadLetter.Uri"/> and <see cref="DeadLetter.OriginalUri"/>.</returns>
    internal static (Uri Uri, string? Original) Of(Uri sent, IReadOnlyList<string> leftOut)
    {
        string[] parameters = [.. leftOut.Select(item => LeftOutRules.IsParameter(item, out string name) ? name : null).OfType<string>()];
        string pathAndQuery = parameters.Length == 0 ? sent.PathAndQuery : QueryText.Without(
            sent.PathAndQuery, name => parameters.Contains(name, StringComparer.OrdinalIgnoreCase));
        string text = $"{sent.Scheme}://{sent.Authority}{pathAndQuery}";
        bool isKnown = Uri.TryCreate(text, UriKind.Absolute, out var canonical);
        if (isKnown && canonical!.PathAndQuery != pathAndQuery)
            return (canonical, text);
        if (sent is { UserInfo: "", Fragment: "" } && pathAndQuery == sent.PathAndQuery)
            return (sent, null);
        if (isKnown)
            return (canonical!, null);
        string query = pathAndQuery.IndexOf('?', StringComparison.Ordinal) is >= 0 and var start ? pathAndQuery[start..] : "";
        return (new UriBuilder(sent) { UserName = "", Password = "", Fragment = "", Query = query }.Uri, null);
    }

    /// <summary>The URI of a replay.</summary>
    /// <returns>Null when the characters that were sent are not those of <see cref="DeadLetter.Uri"/>, or cannot be sent.</returns>
    internal static Uri? AsSent(DeadLetter letter)
    {
        if (letter.OriginalUri is not { } text)
            return letter.Uri;
        var asIs = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        return Uri.TryCreate(text, asIs, out var sent) && HttpAuthority.IsHttp(sent) && sent.UserInfo.Length == 0
            && new HttpAuthority(sent).Equals(new HttpAuthority(letter.Uri))
            // A blank or a line break would forge the request line (RFC 9112 §3).
            && !sent.PathAndQuery.AsSpan().ContainsAnyExceptInRange('!', '~')
            && Uri.TryCreate(text, UriKind.Absolute, out var canonical) && canonical.PathAndQuery == letter.Uri.PathAndQuery
            ? sent : null;
    }
}
