namespace HttpResilience.Operations;

/// <summary>How much of an error budget is used up. Fewer than 5 failures leave it <see cref="Quiet"/>.</summary>
public enum ErrorBudgetState
{
    /// <summary>Up to 100 %.</summary>
    Quiet,

    /// <summary>More than 100 %, up to 200 %.</summary>
    Heightened,

    /// <summary>More than 200 %.</summary>
    Exceeded,
}
