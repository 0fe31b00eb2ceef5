namespace HttpResilience.AspNetCore;

/// <summary>All that the API does. <c>openapi.json</c> describes each.</summary>
internal static class ApiOperations
{
    internal static IReadOnlyList<ApiOperation> All { get; } =
    [
        new("GET", "letters", LetterLists.LettersAsync),
        new("GET", "letters/{id}", LetterLists.LetterAsync),
        new("GET", "letters/{id}/body", LetterBodies.BodyAsync),
        new("POST", "letters/{id}/replay", LetterChanges.ReplayAsync),
        new("POST", "letters/{id}/resolve", LetterChanges.ResolveAsync),
        new("POST", "letters/{id}/resubmit", LetterChanges.ResubmitAsync),
        new("POST", "letters/{id}/reopen", LetterChanges.ReopenAsync),
        new("POST", "letters/{id}/cancel", LetterChanges.CancelAsync),
        new("GET", "letters/purge", LetterPurge.PreviewAsync),
        new("POST", "letters/purge", LetterPurge.PurgeAsync),
        new("GET", "groups", LetterLists.GroupsAsync),
        new("GET", "counts", LetterLists.CountsAsync),
        new("GET", "unreplayed", LetterLists.UnreplayedAsync),
        new("GET", "clients", ClientLists.ClientsAsync),
        new("GET", "openapi.json", OpenApiDocument.WriteAsync),
    ];
}
