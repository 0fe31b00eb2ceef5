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
        new("GET", "jobs", Jobs.ListAsync),
        new("POST", "jobs", Jobs.StartAsync),
        new("GET", "jobs/{id}", Jobs.FindAsync),
        new("POST", "jobs/{id}/stop", Jobs.StopAsync),
        new("GET", "activity", OperatorLists.ActivityAsync),
        new("GET", "instances", OperatorLists.InstancesAsync),
        new("GET", "clients", ClientLists.ClientsAsync),
        new("GET", "clients/{name}", ClientLists.ClientAsync),
        new("GET", "clients/{name}/settings", ClientLists.SettingsAsync),
        new("POST", "clients/{name}/pause", ClientLists.PauseAsync),
        new("POST", "clients/{name}/resume", ClientLists.ResumeAsync),
        new("GET", "circuits", CircuitCalls.ListAsync),
        new("POST", "circuits/hold", CircuitCalls.HoldAsync),
        new("POST", "circuits/release", CircuitCalls.ReleaseAsync),
        new("GET", "budgets", ClientLists.BudgetsAsync),
        new("GET", "incidents", IncidentLists.IncidentsAsync),
        new("GET", "incidents/{id}", IncidentLists.IncidentAsync),
        new("GET", "batches", BatchLists.BatchesAsync),
        new("GET", "batches/{name}", BatchLists.BatchAsync),
        new("GET", "openapi.json", OpenApiDocument.WriteAsync),
    ];
}
