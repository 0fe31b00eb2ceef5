using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary>A correction as the options of <c>letters edit</c> say it.</summary>
internal static class Correction
{
    /// <param name="letter">The letter as it is.</param>
    /// <param name="request">What is to change.</param>
    /// <param name="hosts">The hosts that it may go to; null when they are not known here.</param>
    /// <exception cref="ToolException">It is not valid, with all that is wrong.</exception>
    internal static DeadLetter Apply(DeadLetter letter, ResubmitRequest request, IReadOnlyCollection<string>? hosts)
    {
        List<FilterProblem> problems = [];
        var corrected = CorrectionRules.Apply(letter, request, hosts, SecretNames.BuiltIn.IsHeader, problems);
        return problems.Count == 0 ? corrected : throw new ToolException(
            $"{string.Join('\n', problems.Select(p => $"{p.Name}: {p.Message}"))}\nNothing was sent.");
    }

    /// <summary>All header fields, with those that are given in the place of those of the same name.</summary>
    /// <param name="given"><c>Name: value</c>.</param>
    /// <param name="removed">Names.</param>
    /// <returns>Null when none is to change.</returns>
    /// <exception cref="ToolException">One is not of that form, or one to be removed is not there.</exception>
    internal static IReadOnlyList<HeaderModel>? HeadersOf(DeadLetter letter, IReadOnlyList<string> given, IReadOnlyList<string> removed)
    {
        if (given.Count == 0 && removed.Count == 0)
            return null;
        var headers = letter.Headers.Select(h => new HeaderModel { Name = h.Key, Value = h.Value }).ToList();
        foreach (string name in removed)
        {
            if (headers.RemoveAll(h => IsNamed(h, name.Trim())) == 0)
                throw new ToolException($"--remove-header {name}: the letter has no such header field. Nothing was sent.");
        }

        HeaderModel[] set = [.. given.Select(Parse)];
        headers.RemoveAll(h => set.Any(other => IsNamed(h, other.Name)));
        return [.. headers, .. set];
    }

    private static HeaderModel Parse(string text) => text.Split(':', 2) is [var name, var value]
        ? new() { Name = name.Trim(), Value = value.Trim() }
        // The value may be a secret: it is not shown.
        : throw new ToolException("--set-header is not of the form 'Name: value'.", ExitCode.Usage);

    private static bool IsNamed(HeaderModel header, string name) => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase);
}
