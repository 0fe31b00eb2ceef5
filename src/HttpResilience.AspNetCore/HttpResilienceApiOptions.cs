using System.Security.Claims;

namespace HttpResilience.AspNetCore;

/// <summary>Who may see and do what in the JSON API (<c>MapHttpResilienceApi</c>).</summary>
public class HttpResilienceApiOptions
{
    /// <summary>
    /// The authorization policy for changes, evaluated on every POST. Default null: every change is refused.
    /// </summary>
    public string? OperatePolicy { get; set; }

    /// <summary>
    /// The name of a person that is written down with what was done. A person without a name may not change anything. Default null: the
    /// name of the identity, else its subject claim (<c>sub</c> or <see cref="ClaimTypes.NameIdentifier"/>).
    /// </summary>
    public Func<ClaimsPrincipal, string?>? Who { get; set; }

    /// <summary>
    /// Who gets the bodies of letters as they are. Others see JSON bodies with the fields on the redaction list struck out.
    /// <see cref="BodyVisibility.Nobody"/> hides bodies from all. Default: <see cref="BodyVisibility.Operators"/>.
    /// </summary>
    public BodyVisibility ShowBodies { get; set; } = BodyVisibility.Operators;

    /// <summary>The contact named to those who may not do something, such as <c>#payments-oncall</c>. Default null: none.</summary>
    public string? Contact { get; set; }

    /// <summary>How many POSTs a person may send in a minute, to each instance. 1 to 100,000; default 20.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is below or above.</exception>
    public int PostsPerMinute
    {
        get;
        set => field = value is >= 1 and <= 100_000 ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "PostsPerMinute is 1 to 100000.");
    } = 20;
}

/// <summary>Who gets the bodies of letters, which may hold personal data.</summary>
public enum BodyVisibility
{
    /// <summary>Those who may change something (<see cref="HttpResilienceApiOptions.OperatePolicy"/>).</summary>
    Operators,

    /// <summary>All who may see letters.</summary>
    Everyone,

    /// <summary>Bodies are hidden from everyone.</summary>
    Nobody,
}
