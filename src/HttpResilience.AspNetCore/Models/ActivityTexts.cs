namespace HttpResilience.AspNetCore;

/// <summary>What a person did, in words.</summary>
internal static class ActivityTexts
{
    internal static string Of(OperatorActivity activity) => activity.Action switch
    {
        "Replay" => "Asked for it to be sent again",
        "Resubmit" => "Sent it corrected",
        "Resolve" => "Marked it as dealt with",
        "Reopen" => "Reopened it",
        "Cancel" => "Took it back before it was sent",
        "StartJob" => "Began a change of many letters",
        "StopJob" => "Stopped a change of many letters",
        "Purge" => "Deleted letters that were done with",
        "Pause" => "Paused the client",
        "Resume" => "Resumed the client",
        "HoldBack" => "Held a host back",
        "LetThrough" => "Let a host through",
        var other => ForeignText.Visible(other, 60),
    };
}
