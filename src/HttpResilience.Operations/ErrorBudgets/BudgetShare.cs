using System.Globalization;

namespace HttpResilience.Operations;

/// <summary>
/// Formats the spent share of an error budget for people: as a percentage, and from ten times the budget on as a multiple.
/// </summary>
internal static class BudgetShare
{
    private const double FirstMultiple = 10;
    private const double Max = 1_000_000;

    /// <param name="budget">The budget, such as <c>its error budget</c>.</param>
    /// <returns>Such as <c>210 % of its error budget</c> or <c>555 times its error budget</c>.</returns>
    internal static string Show(double share, string budget) => share switch
    {
        > Max => $"more than 1,000,000 times {budget}",
        >= FirstMultiple => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(share):#,0} times {budget}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0} % of {budget}"),
    };
}
