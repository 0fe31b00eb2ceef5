namespace HttpResilience.AspNetCore;

/// <summary>What is around each page, and what its parts need to know of the request.</summary>
internal sealed record PageFrame
{
    /// <summary>The path below which all addresses of the page are, with that of the host before it; without a slash at its end.</summary>
    public required string Base { get; init; }

    public required string Application { get; init; }

    /// <summary>The environment of the host, such as Production.</summary>
    public required string Environment { get; init; }

    /// <summary>Who one is; null when the page does not know.</summary>
    public string? Person { get; init; }

    public required bool MayOperate { get; init; }

    public required PageTimes Times { get; init; }

    /// <summary>system, light or dark.</summary>
    public required string Theme { get; init; }

    /// <summary>The reader asked for UTC, whatever the own zone is.</summary>
    public required bool WantsUtc { get; init; }

    /// <summary>The token against requests of other sites, for each form.</summary>
    public string? Token { get; init; }

    public string? TokenField { get; init; }

    /// <summary>The address of the page below <see cref="Base"/>, for forms that come back to it.</summary>
    public required string Here { get; init; }

    /// <summary>What came of the last click.</summary>
    public string? Message { get; init; }

    /// <summary>The message is about something that did not happen.</summary>
    public bool MessageIsError { get; init; }

    public DateTimeOffset Now => Times.Now;

    /// <summary>An address of the page.</summary>
    internal string To(string path = "") => path.Length == 0 ? (Base.Length == 0 ? "/" : Base) : $"{Base}/{path}";

    internal string Asset(string name) => To($"assets/{PageAssets.Hash}/{name}");

    internal string ToLetter(Guid id) => To($"letters/{id}");

    internal string ToGroup(string fingerprint) => To($"groups/{fingerprint}");

    internal string ToClient(string name) => To($"clients/{Uri.EscapeDataString(name)}");

    /// <summary>The list of letters with these words of the filter.</summary>
    internal string ToLetters(params ReadOnlySpan<(string Word, string? Value)> words)
    {
        string query = "";
        foreach (var (word, value) in words)
        {
            if (!string.IsNullOrEmpty(value))
                query += $"{(query.Length == 0 ? '?' : '&')}{word}={Uri.EscapeDataString(value)}";
        }

        return To($"letters{query}");
    }
}

/// <summary>A page: what is around it, and what it shows.</summary>
/// <param name="Frame">What is around it.</param>
/// <param name="Content">The model of its component.</param>
/// <param name="Title">For the bar of the browser.</param>
/// <param name="Section">The entry of the navigation: overview, letters, clients, batches, alerts, activity; null for none.</param>
internal sealed record PageView(PageFrame Frame, object Content, string Title, string? Section)
{
    /// <summary>The numbers of the page are asked for every ten seconds.</summary>
    public bool IsLive { get; init; }
}
