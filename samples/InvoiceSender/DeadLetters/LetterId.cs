using HttpResilience;

namespace InvoiceSender;

/// <summary>Ids as people use them: the beginning is enough.</summary>
internal static class LetterId
{
    // Ids begin with the time: up to the millisecond.
    private const int MinLength = 13;

    /// <summary>How much of these ids tells them apart.</summary>
    public static int ShortLength(IReadOnlyList<DeadLetter> letters)
    {
        string[] ids = [.. letters.Select(letter => letter.Id.ToString()).Order(StringComparer.Ordinal)];
        return ids.Zip(ids.Skip(1), (one, next) => one.Zip(next).TakeWhile(pair => pair.First == pair.Second).Count() + 1).Append(MinLength).Max();
    }

    /// <summary>The letter whose id begins so.</summary>
    /// <exception cref="CommandException">There is none, or more than one.</exception>
    public static async Task<DeadLetter> FindAsync(IDeadLetterReview review, string text, CancellationToken cancellationToken)
    {
        var prefix = text.Trim().ToLowerInvariant();
        if (prefix.Length is 0 or > 36 || !Guid.TryParseExact(prefix + Shape[prefix.Length..], "D", out var last))
            throw new CommandException($"\"{text}\" is not the beginning of an id such as 019a1f3c-4a2b-7d3e-9b1a-3f0c5d7e9a11.");

        // Letters are listed in the order of their ids, so those that begin so come together.
        var found = await review.FindAsync(last, cancellationToken) is { } exact
            ? [exact]
            : (await review.ListAsync(new() { Before = last, Limit = 2 }, cancellationToken)).Where(letter => Begins(letter, prefix)).ToArray();
        return found switch
        {
            [var only] => only,
            [] => throw new CommandException($"There is no dead letter {text}."),
            _ => throw new CommandException($"\"{text}\" is ambiguous: {found[1].Id} and {found[0].Id} begin so. Give more of it."),
        };
    }

    private const string Shape = "ffffffff-ffff-ffff-ffff-ffffffffffff";

    private static bool Begins(DeadLetter letter, string prefix) => letter.Id.ToString().StartsWith(prefix, StringComparison.Ordinal);
}
