using System.Globalization;

namespace HttpResilience.Benchmarks;

/// <summary>The options of the commands other than the benchmarks.</summary>
internal sealed record CommandOptions(int Seed, string? Output, int Seconds, int? Letters)
{
    /// <exception cref="FormatException">An option is unknown, or its value is missing or not a number.</exception>
    internal static CommandOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new CommandOptions(Seed: 1, Output: null, Seconds: 60, Letters: null);
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new FormatException($"{args[i]} needs a value; see --help.");
            options = args[i] switch
            {
                "--seed" => options with { Seed = Number(value) },
                "--seconds" => options with { Seconds = Number(value) },
                "--letters" => options with { Letters = Number(value) },
                "--output" => options with { Output = value },
                var unknown => throw new FormatException($"Unknown option {unknown}; see --help."),
            };
        }

        return options;

        static int Number(string value) =>
            int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new FormatException($"'{value}' is not a positive number.");
    }
}
