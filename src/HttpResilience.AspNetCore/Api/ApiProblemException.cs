using Microsoft.AspNetCore.Http;

namespace HttpResilience.AspNetCore;

/// <summary>The answer to a request that cannot be fulfilled.</summary>
internal sealed class ApiProblemException(ProblemModel problem) : Exception(problem.Title)
{
    internal ProblemModel Problem { get; } = problem;

    internal static ApiProblemException Of(int status, string title, string? detail = null) =>
        new(new() { Status = status, Title = title, Detail = detail });

    internal static ApiProblemException NotFound(string title, string? detail = null) => Of(StatusCodes.Status404NotFound, title, detail);

    internal static ApiProblemException NoLetter(Guid id) => NotFound(
        $"There is no letter {id}.", "Letters that are settled are deleted after a time.");

    /// <summary>422: the request was understood, and a field of it is not valid.</summary>
    internal static ApiProblemException NotValid(string field, string message) => NotValid([new(field, message)]);

    /// <inheritdoc cref="NotValid(string, string)"/>
    internal static ApiProblemException NotValid(IEnumerable<FilterProblem> problems) => new(new()
    {
        Status = StatusCodes.Status422UnprocessableEntity,
        Title = "Some of it is not valid.",
        Errors = problems.GroupBy(p => p.Name).ToDictionary(p => p.Key, p => p.Select(one => one.Message).ToArray()),
    });

    /// <summary>409: the letter is no longer what the person saw.</summary>
    internal static ApiProblemException Changed(DeadLetter letter, string title)
    {
        string by = letter.Resolution is { } r ? $" {r.By}: {r.Action}, {r.At:u}." : "";
        return new(new()
        {
            Status = StatusCodes.Status409Conflict,
            Title = title,
            Detail = $"It is '{LetterWords.Text(letter.Status)}' now, in version {letter.Version}.{by}",
            Letter = LetterSummary.Of(letter),
        });
    }
}
