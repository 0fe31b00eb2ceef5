namespace HttpResilience.AspNetCore;

/// <summary>What the API does for one method at one address.</summary>
/// <param name="Method">GET or POST.</param>
/// <param name="Path">Below the prefix, without a leading slash, such as <c>letters/{id}</c>.</param>
/// <param name="AnswerAsync">Writes the answer.</param>
internal sealed record ApiOperation(string Method, string Path, Func<ApiCall, Task> AnswerAsync);
