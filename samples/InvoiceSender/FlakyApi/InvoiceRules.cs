using System.Globalization;

namespace InvoiceSender;

/// <summary>The validation rules of the API.</summary>
internal static class InvoiceRules
{
    private static readonly string[] Currencies = ["CHF", "DKK", "EUR", "GBP", "NOK", "PLN", "SEK", "USD"];
    private static readonly decimal[] VatRates = [0, 0.06m, 0.12m, 0.20m, 0.21m, 0.25m];
    private static readonly DateOnly FirstOpenDay = new(2026, 1, 1);

    public static Problem? Check(Invoice invoice)
    {
        Dictionary<string, string[]> errors = [];
        Add("receiver", ReceiverError(invoice.Receiver));
        Add("currency", Currencies.Contains(invoice.Currency) ? null : $"'{invoice.Currency}' is not a currency that we invoice in.");
        Add("vat", VatRates.Any(rate => invoice.Vat == decimal.Round(invoice.Net * rate, 2, MidpointRounding.AwayFromZero))
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"{invoice.Vat} is not the VAT on net {invoice.Net} at any rate in use."));
        Add("dueDate", DueDateError(invoice.DueDate));

        return errors.Count == 0 ? null : new Problem
        {
            Title = "The invoice is not valid",
            Status = StatusCodes.Status422UnprocessableEntity,
            Detail = string.Join(" ", errors.Select(error => $"{error.Key}: {string.Join(" ", error.Value)}")),
            Errors = errors,
        };

        void Add(string field, string? error)
        {
            if (error is not null) errors.Add(field, [error]);
        }
    }

    private static string? ReceiverError(string receiver)
    {
        if (receiver.Length == 0) return "is missing.";
        if (receiver.Split(':') is not [{ Length: 4 } scheme, var identifier]) return $"'{receiver}' is not of the form scheme:identifier.";

        var valid = scheme switch
        {
            "0088" => IsGlobalLocationNumber(identifier),
            "0208" => IsBelgianEnterpriseNumber(identifier),
            "9915" => identifier.Length is >= 3 and <= 35
                && identifier.All(character => char.IsAsciiLetterOrDigit(character) || character is '-'),
            _ => false,
        };
        return valid ? null : $"'{identifier}' is not an identifier of scheme {scheme}, or its check digit is wrong.";
    }

    // GS1: weights 1 and 3 from the left, the sum is a multiple of 10.
    private static bool IsGlobalLocationNumber(string identifier) =>
        identifier.Length == 13 && identifier.All(char.IsAsciiDigit)
        && identifier.Select((digit, index) => (digit - '0') * (index % 2 == 0 ? 1 : 3)).Sum() % 10 == 0;

    private static bool IsBelgianEnterpriseNumber(string identifier) =>
        identifier.Length == 10 && identifier.All(char.IsAsciiDigit)
        && 97 - int.Parse(identifier.AsSpan(0, 8), CultureInfo.InvariantCulture) % 97
            == int.Parse(identifier.AsSpan(8), CultureInfo.InvariantCulture);

    private static string? DueDateError(string dueDate) =>
        !DateOnly.TryParseExact(dueDate, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? $"'{dueDate}' is not a date."
        : day < FirstOpenDay ? string.Create(CultureInfo.InvariantCulture, $"{day:yyyy-MM-dd} is in a closed year.")
        : null;
}
