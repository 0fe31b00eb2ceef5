namespace HttpResilience.Operations;

/// <summary>The level to which an error budget is spent. With fewer than 5 failures it is <see cref="Quiet"/>.</summary>
public enum ErrorBudgetState
{
    /// <summary>Up to 100 %.</summary>
    Quiet,

    /// <summary>More than 100 %, up to 200 %.</summary>
    Heightened,

    /// <summary>More than 200 %.</summary>
    Exceeded,
}
