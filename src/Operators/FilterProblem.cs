namespace HttpResilience.Operators;

/// <summary>A word of a filter that is not known, or whose value is not valid.</summary>
/// <param name="Name">The name of the word, such as <c>status</c>.</param>
/// <param name="Message">What is wrong with it, and what is allowed.</param>
internal sealed record FilterProblem(string Name, string Message);
