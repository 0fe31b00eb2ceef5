namespace HttpResilience.AspNetCore;

/// <summary>What the page does for one method at one address.</summary>
/// <param name="Method">GET or POST.</param>
/// <param name="Path">Below the prefix, without a leading slash; empty for the overview.</param>
/// <param name="AnswerAsync">Makes the answer.</param>
internal sealed record PageOperation(string Method, string Path, Func<PageCall, Task<PageAnswer>> AnswerAsync);
