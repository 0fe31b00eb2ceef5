namespace HttpResilience.AspNetCore;

/// <summary>What came of a click, as a word in the address: a text there could be written by anybody.</summary>
internal static class PageMessages
{
    internal const string Sends = "sends", Corrected = "corrected", DealtWith = "dealt-with", Reopened = "reopened",
        Cancelled = "cancelled", Stopped = "stopped", Started = "started", Paused = "paused", Resumed = "resumed", Held = "held",
        Released = "released", Already = "already";

    internal static string? Of(string word) => word switch
    {
        Sends => "It will be sent again.",
        Corrected => "The corrected letter takes the place of the old one, and will be sent.",
        DealtWith => "Marked as dealt with.",
        Reopened => "It is open again.",
        Cancelled => "Nothing is sent. It is what it was before.",
        Stopped => "Stopped. What had not gone out is as it was.",
        Started => "Begun.",
        Already => "One was under way already: this is it. No second one was begun.",
        Paused => "Paused, on all instances within ten seconds.",
        Resumed => "Resumed, on all instances within ten seconds.",
        Held => "Held back, on all instances within ten seconds.",
        Released => "Let through, on all instances within ten seconds.",
        _ => null,
    };
}
