namespace HttpResilience;

/// <summary>
/// The application whose rows a store writes and reads. Rows of no application, from before the column existed, belong to every one.
/// </summary>
internal sealed class StoredApplication(string name)
{
    private readonly string _name = StoredText.Storable(name)!;

    /// <summary>The letter as this application stores it.</summary>
    internal DeadLetter Owned(DeadLetter letter) => letter.Application.Length > 0 ? letter : letter with { Application = _name };

    /// <summary>The applications whose letters a claim includes.</summary>
    internal string[] ClaimedBy(DeadLetterClaim claim) =>
        [.. claim.Applications.Select(a => StoredText.Storable(a)!).Append(_name).Append("").Distinct()];
}
