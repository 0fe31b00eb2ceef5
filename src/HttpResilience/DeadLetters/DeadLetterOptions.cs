namespace HttpResilience;

/// <summary>
/// Whether requests that finally fail are kept durably, with all that it takes to send them again. Section <c>DeadLetter</c>. Needs
/// <c>AddHttpResilienceStorage</c>; <c>AddDeadLetterReplay</c> sends them again.
/// </summary>
public sealed class DeadLetterOptions
{
    /// <summary>Whether they are kept. Default false.</summary>
    public bool Enabled { get; set; }

    /// <summary>How often a letter is sent again by itself before a person has to look at it. 0 or more; default 10.</summary>
    public int MaxReplays { get; set; } = 10;

    /// <summary>The longest body that is kept; a letter with a longer one waits for a person, without it. 0 to 2147483647 bytes; default 1048576 (1 MiB).</summary>
    public int MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>The methods whose calls are kept. Default POST, PUT, PATCH and DELETE. Configuration replaces the list as a whole.</summary>
    public IList<string> Methods { get; set; } = ["POST", "PUT", "PATCH", "DELETE"];

    /// <summary>
    /// Where letters may be sent to besides the authority of the client's <c>BaseAddress</c>: scheme, host and port, as <c>https://api.example.com</c>. A letter
    /// for any other place waits for a person: a row that somebody has changed shall not carry credentials away. Default: none.
    /// </summary>
    public IList<string> AllowedAuthorities { get; set; } = [];

    internal static OptionKeys<DeadLetterOptions> Keys => new OptionKeys<DeadLetterOptions>()
        .Boolean(nameof(Enabled), o => o.Enabled, (o, v) => o.Enabled = v)
        .Integer(nameof(MaxReplays), o => o.MaxReplays, (o, v) => o.MaxReplays = v, 0, int.MaxValue)
        .Integer(nameof(MaxBodyBytes), o => o.MaxBodyBytes, (o, v) => o.MaxBodyBytes = v, 0, int.MaxValue)
        .Tokens(nameof(Methods), o => o.Methods, (o, v) => o.Methods = v)
        .Authorities(nameof(AllowedAuthorities), o => o.AllowedAuthorities, (o, v) => o.AllowedAuthorities = v);
}
