namespace HttpResilience.AspNetCore;

/// <summary>All addresses of the page, but those of the JSON API below it.</summary>
internal static class PageOperations
{
    internal static IReadOnlyList<PageOperation> All { get; } =
    [
        new("GET", "", OverviewPages.OverviewAsync),
        new("GET", "letters", LetterPages.LettersAsync),
        new("GET", "letters/{id}", LetterPages.LetterAsync),
        new("GET", "letters/{id}/body", LetterPages.BodyAsync),
        new("POST", "letters/{id}/send", LetterDeeds.SendAsync),
        new("POST", "letters/{id}/correct", LetterDeeds.CorrectAsync),
        new("POST", "letters/{id}/resolve", LetterDeeds.ResolveAsync),
        new("POST", "letters/{id}/reopen", LetterDeeds.ReopenAsync),
        new("POST", "letters/{id}/cancel", LetterDeeds.CancelAsync),
        new("GET", "groups/{fingerprint}", LetterPages.GroupAsync),
        new("GET", "groups/{fingerprint}/send", JobPages.AskSendAsync),
        new("POST", "groups/{fingerprint}/send", JobPages.SendAsync),
        new("GET", "groups/{fingerprint}/resolve", JobPages.AskResolveAsync),
        new("POST", "groups/{fingerprint}/resolve", JobPages.ResolveAsync),
        new("GET", "jobs/{id}", JobPages.JobAsync),
        new("POST", "jobs/{id}/stop", JobPages.StopAsync),
        new("POST", "jobs/{id}/undo", JobPages.UndoAsync),
        new("GET", "clients", ClientPages.ClientsAsync),
        new("GET", "clients/{name}", ClientPages.ClientAsync),
        new("GET", "clients/{name}/pause", ClientPages.AskPauseAsync),
        new("POST", "clients/{name}/pause", ClientPages.PauseAsync),
        new("POST", "clients/{name}/resume", ClientPages.ResumeAsync),
        new("GET", "clients/{name}/hold", ClientPages.AskHoldAsync),
        new("POST", "clients/{name}/hold", ClientPages.HoldAsync),
        new("POST", "clients/{name}/release", ClientPages.ReleaseAsync),
        new("GET", "batches", OperationPages.BatchesAsync),
        new("GET", "batches/{name}", OperationPages.BatchAsync),
        new("GET", "alerts", OperationPages.AlertsAsync),
        new("GET", "alerts/{id}", OperationPages.AlertAsync),
        new("GET", "activity", OverviewPages.ActivityAsync),
        new("GET", "help", OverviewPages.HelpAsync),
        new("GET", "choose", PageCookies.ChooseAsync),
        new("GET", "assets/{hash}/{file}", PageAssets.AnswerAsync),
    ];
}
