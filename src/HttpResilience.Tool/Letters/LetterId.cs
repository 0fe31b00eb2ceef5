namespace HttpResilience.Tool;

/// <summary>Letters by the beginning of their id.</summary>
internal static class LetterId
{
    private const string Greatest = "ffffffff-ffff-ffff-ffff-ffffffffffff";

    // The first 13 characters of an id are its time in milliseconds.
    private const int MinLength = 13;

    /// <summary>The length of the shortest beginnings that tell these ids apart.</summary>
    internal static int ShortLength(IEnumerable<Guid> ids)
    {
        string[] all = [.. ids.Select(id => id.ToString()).Order(StringComparer.Ordinal)];
        return all.Zip(all.Skip(1), (one, next) => one.Zip(next).TakeWhile(pair => pair.First == pair.Second).Count() + 1)
            .Append(MinLength).Max();
    }

    /// <summary>The letter whose id begins with a text.</summary>
    /// <exception cref="ToolException">None has, or several.</exception>
    internal static async Task<DeadLetter> FindAsync(IDeadLetterReview review, string text, CancellationToken cancellationToken)
    {
        string prefix = text.Trim().ToLowerInvariant();
        if (prefix.Length is 0 or > 36 || !Guid.TryParseExact(prefix + Greatest[prefix.Length..], "D", out var last))
        {
            throw new ToolException(
                $"'{text}' is not the beginning of an id such as 019a1f3c-4a2b-7d3e-9b1a-3f0c5d7e9a11.", ExitCode.Usage);
        }

        // Letters are listed in the order of their ids, so that those that match stand together.
        DeadLetter[] found = await review.FindAsync(last, cancellationToken).ConfigureAwait(false) is { } exact ? [exact]
            : [.. (await review.ListAsync(new() { Before = last, Limit = 2, OmitBodies = true }, cancellationToken).ConfigureAwait(false))
                .Where(letter => letter.Id.ToString().StartsWith(prefix, StringComparison.Ordinal))];
        return found switch
        {
            [var only] => await review.FindAsync(only.Id, cancellationToken).ConfigureAwait(false) ?? throw NotThere(text),
            [] => throw NotThere(text),
            _ => throw new ToolException($"'{text}' may mean {found[1].Id} or {found[0].Id}. Give more of it."),
        };
    }

    private static ToolException NotThere(string text) => new(
        $"There is no letter {text}; letters that are done with are deleted after 30 days, or as DeadLetter:Retention says.");
}
