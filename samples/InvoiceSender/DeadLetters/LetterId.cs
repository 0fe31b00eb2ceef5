using HttpResilience;

namespace InvoiceSender;

/// <summary>Finds letters by a prefix of their id.</summary>
internal static class LetterId
{
    // The first 13 characters of an id are its time in milliseconds.
    private const int MinLength = 13;

    /// <summary>The length of the shortest prefixes that distinguish these ids.</summary>
    public static int ShortLength(IReadOnlyList<DeadLetter> letters)
    {
        string[] ids = [.. letters.Select(letter => letter.Id.ToString()).Order(StringComparer.Ordinal)];
        return ids.Zip(ids.Skip(1), (one, next) => one.Zip(next).TakeWhile(pair => pair.First == pair.Second).Count() + 1)
            .Append(MinLength).Max();
    }

    /// <summary>The letter whose id begins with <paramref name="text"/>.</summary>
    /// <exception cref="CommandException">No letter or more than one has this prefix.</exception>
    public static async Task<DeadLetter> FindAsync(IDeadLetterReview review, string text, CancellationToken cancellationToken)
    {
        var prefix = text.Trim().ToLowerInvariant();
        if (prefix.Length is 0 or > 36 || !Guid.TryParseExact(prefix + Shape[prefix.Length..], "D", out var last))
            throw new CommandException($"\"{text}\" is not the beginning of an id such as 019a1f3c-4a2b-7d3e-9b1a-3f0c5d7e9a11.");

        // Letters are listed in the order of their ids, so matches are adjacent.
        var found = await review.FindAsync(last, cancellationToken) is { } exact
            ? [exact]
            : (await review.ListAsync(new() { Before = last, Limit = 2 }, cancellationToken))
                .Where(letter => Begins(letter, prefix)).ToArray();
        return found switch
        {
            [var only] => only,
            [] => throw new CommandException($"There is no dead letter {text}."),
            _ => throw new CommandException($"\"{text}\" is ambiguous: {found[1].Id} and {found[0].Id} match. Give a longer prefix."),
        };
    }

    private const string Shape = "ffffffff-ffff-ffff-ffff-ffffffffffff";

    private static bool Begins(DeadLetter letter, string prefix) => letter.Id.ToString().StartsWith(prefix, StringComparison.Ordinal);
}
