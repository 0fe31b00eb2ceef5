using System.Globalization;

namespace HttpResilience.Benchmarks;

/// <summary>The options of the commands.</summary>
internal sealed record CommandOptions(int Seed, string? Output, int Seconds, int? Letters)
{
    /// <summary>How many seeds there are, from <see cref="Seed"/> on; null for the default of the command.</summary>
    internal int? SeedCount { get; init; }

    /// <summary>How often each client is measured; null for the default of the command.</summary>
    internal int? Rounds { get; init; }

    /// <summary>Fewer rounds than by default.</summary>
    internal bool IsQuick { get; init; }

    /// <summary>Only what has this in its name.</summary>
    internal string? Only { get; init; }

    /// <summary>Only the clients that have this in their name.</summary>
    internal string? Client { get; init; }

    /// <summary>What is measured besides.</summary>
    internal string? With { get; init; }

    /// <summary>The file of the plot.</summary>
    internal string? Plot { get; init; }

    internal IReadOnlyList<int> SeedsOr(int count) => [.. Enumerable.Range(Seed, SeedCount ?? count)];

    /// <exception cref="FormatException">An option is unknown, or its value is missing or not a number.</exception>
    internal static CommandOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new CommandOptions(Seed: 1, Output: null, Seconds: 60, Letters: null);
        for (int i = 0; i < args.Length; i++)
        {
            string name = args[i];
            if (name == "--quick")
            {
                options = options with { IsQuick = true };
                continue;
            }

            string value = ++i < args.Length ? args[i] : throw new FormatException($"{name} needs a value; see --help.");
            options = name switch
            {
                "--seed" => options with { Seed = Number(value) },
                "--seconds" => options with { Seconds = Number(value) },
                "--letters" => options with { Letters = Number(value) },
                "--seeds" => options with { SeedCount = Number(value) },
                "--rounds" => options with { Rounds = Number(value) },
                "--only" => options with { Only = value },
                "--client" => options with { Client = value },
                "--with" => options with { With = value },
                "--plot" => options with { Plot = value },
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
