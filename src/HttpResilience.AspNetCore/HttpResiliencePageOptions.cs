namespace HttpResilience.AspNetCore;

/// <summary>
/// Who may see and do what on the operator's page and in the JSON API below it (<c>MapHttpResilience</c>), and how it is named.
/// </summary>
public sealed class HttpResiliencePageOptions : HttpResilienceApiOptions
{
    /// <summary>The name in the bar of the page. Default null: the application name of the host.</summary>
    public string? Title { get; set; }

    /// <summary>
    /// The tags that name a letter for people, such as <c>document</c> with the value <c>Invoice 20417</c>; the first that a letter has is
    /// taken. Default: none, letters are named by method and path.
    /// </summary>
    public IList<string> LetterTitleTags { get; } = [];
}
