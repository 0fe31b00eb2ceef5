using Microsoft.AspNetCore.Http;

namespace HttpResilience.AspNetCore;

/// <summary>What a reader has chosen for this page: times and colours.</summary>
internal static class PageCookies
{
    private const string Zone = "hr-zone", TimesCookie = "hr-times", ThemeCookie = "hr-theme";

    internal static readonly IReadOnlyList<string> Themes = ["system", "light", "dark"];

    /// <summary>The reader's own zone, which the script has written; UTC when it is not known, or not wanted.</summary>
    internal static TimeZoneInfo ZoneOf(HttpRequest request)
    {
        string? name = request.Cookies[Zone];
        return !WantsUtc(request) && name is { Length: > 0 and <= 64 } && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone)
            ? zone : TimeZoneInfo.Utc;
    }

    internal static bool WantsUtc(HttpRequest request) => request.Cookies[TimesCookie] == "utc";

    internal static string ThemeOf(HttpRequest request) =>
        request.Cookies[ThemeCookie] is { } theme && Themes.Contains(theme) ? theme : "system";

    /// <summary>Keeps a choice, and goes back to the page where it was made.</summary>
    internal static Task<PageAnswer> ChooseAsync(PageCall call)
    {
        if (call.Query("times") is "utc" or "mine")
            Set(call, TimesCookie, call.Query("times"));
        if (Themes.Contains(call.Query("theme")))
            Set(call, ThemeCookie, call.Query("theme"));
        string back = call.Query("back");
        // Below the prefix, whatever it holds: an address elsewhere cannot be reached.
        bool isPath = back.All(c => c is > ' ' and < '\u007F' and not '\\') && !back.StartsWith('/')
            && !back.Contains("..", StringComparison.Ordinal) && !back.Contains("%2e", StringComparison.OrdinalIgnoreCase);
        return Task.FromResult<PageAnswer>(new PageAnswer.SeeOther(isPath ? back : ""));
    }

    private static void Set(PageCall call, string name, string value) => call.Context.Response.Cookies.Append(name, value, new()
    {
        Path = PagePipeline.BaseOf(call.Context) is { Length: > 0 } path ? path : "/",
        MaxAge = TimeSpan.FromDays(365),
        HttpOnly = name != Zone,
        Secure = call.Context.Request.IsHttps,
        SameSite = SameSiteMode.Strict,
        IsEssential = true,
    });
}
