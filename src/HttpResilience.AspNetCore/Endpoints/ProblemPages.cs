using HttpResilience.AspNetCore.Pages;
using Microsoft.AspNetCore.Http;

namespace HttpResilience.AspNetCore;

/// <summary>The pages of what cannot be shown or done.</summary>
internal static class ProblemPages
{
    /// <summary>The host has not set up who may see the page: the two lines that do, and nothing else.</summary>
    internal static PageAnswer NotSetUp { get; } = Page(
        new("This page is not set up yet", "It shows nothing to anybody until the application says who may see it:")
        {
            Code = "builder.Services.AddAuthorization(o => o.AddPolicy(\"staff\", p => p.RequireRole(\"staff\")));\n"
                + "app.MapHttpResilience(\"/resilience\").RequireAuthorization(\"staff\");",
            HidesNavigation = true,
        },
        StatusCodes.Status403Forbidden);

    internal static PageAnswer Of(Exception exception, string path, ApiEvents events) => Of(exception, path, events, null);

    /// <param name="typed">The form whose deed failed; null for none.</param>
    internal static PageAnswer Of(Exception exception, string path, ApiEvents events, RepeatedForm? typed)
    {
        switch (exception)
        {
            case ApiProblemException e:
                var errors = e.Problem.Errors?.SelectMany(error => error.Value.Select(text => $"{error.Key}: {text}")).ToList() ?? [];
                return Page(
                    new(e.Problem.Title, e.Problem.Detail) { Errors = errors, Letter = e.Problem.Letter, Typed = typed }, e.Problem.Status);
            case HttpResilienceStorageException e:
                events.StoreFailed(e, path);
                return Page(
                    new("The store does not answer", e.MayHaveBeenMade
                        ? "What you did may have been done nevertheless: look before you repeat it."
                        : "Nothing was done. Clients and circuits of this instance can still be seen.")
                    {
                        IsLive = typed is null,
                        Typed = typed,
                    },
                    StatusCodes.Status503ServiceUnavailable);
            case OperationCanceledException when typed is not null:
                return Page(
                    new("The store does not answer in time", "Nothing was done yet. Send it once more.") { Typed = typed },
                    StatusCodes.Status503ServiceUnavailable);
            case OperationCanceledException:
                return Page(
                    new(
                        "This took longer than two seconds",
                        "The store is busy, or there are very many letters. Try again, or use a filter."),
                    StatusCodes.Status503ServiceUnavailable);
            default:
                events.Failed(exception, path);
                return Page(
                    new("The page could not be made", "The log of the application says why.") { Typed = typed },
                    StatusCodes.Status500InternalServerError);
        }
    }

    private static PageAnswer.Page Page(PageProblem problem, int status) =>
        new(typeof(ProblemPage), problem, problem.Title, null) { Status = status, IsLive = problem.IsLive };
}

/// <summary>What cannot be shown or done, and why.</summary>
internal sealed record PageProblem(string Title, string? Detail)
{
    public IReadOnlyList<string> Errors { get; init; } = [];

    /// <summary>Lines of code that help.</summary>
    public string? Code { get; init; }

    /// <summary>The letter as it is now, when it has changed meanwhile.</summary>
    public LetterSummary? Letter { get; init; }

    /// <summary>What was typed, to be sent once more; null for none.</summary>
    public RepeatedForm? Typed { get; init; }

    public bool HidesNavigation { get; init; }

    /// <summary>It may be over soon.</summary>
    public bool IsLive { get; init; }
}
