using System.Globalization;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary><c>quotas</c>: ten scripted APIs, each with 10,000 calls at full quota, with Pace and without.</summary>
internal static class QuotaCommand
{
    internal static int Run(CommandOptions options)
    {
        ScriptedApi[] apis =
            [.. ScriptedApi.All.Where(a => a.Preset.ToString().Contains(options.Only ?? "", StringComparison.OrdinalIgnoreCase))];
        var runs = Simulations.Run(
            [.. apis.SelectMany(api => (Func<QuotaRun>[])[
                () => new QuotaRun(api, paces: false, options.Seed).Run(), () => new QuotaRun(api, paces: true, options.Seed).Run()])],
            (ended, all) => Console.Error.WriteLine(Text($"{ended} of {all}")));

        Console.WriteLine(Text($"seed {options.Seed}: {QuotaRun.Calls:N0} calls to each API, as fast as it lets them; virtual time"));
        Console.WriteLine();
        Console.WriteLine("| API | its limits | rejected | into a closed door | quota used | rejected with Pace | quota used with Pace |");
        Console.WriteLine("|---|---|--:|--:|--:|--:|--:|");
        bool isMet = true;
        foreach (var pair in runs.Chunk(2))
        {
            var (pauses, paces) = (pair[0], pair[1]);
            bool hasFields = pauses.Api.HasFields;
            Console.WriteLine(Text($"| {pauses.Api.Preset} | {pauses.Api.Documented} | {pauses.Server.Rejected:N0} | ")
                + (hasFields ? Text($"{pauses.Server.IntoClosedDoor:N0}") : "–") + Text($" | {pauses.Used:0.0 %} | ")
                + Text($"{paces.Server.Rejected:N0} | {paces.Used:0.0 %} |"));
            isMet &= !hasFields || (pauses.Server.IntoClosedDoor == 0 && paces.Server.Rejected == 0 && paces.Used >= 0.95);
            if (pauses.Failed + paces.Failed > 0)
                Console.Error.WriteLine(Text($"{pauses.Api.Preset}: {pauses.Failed} and {paces.Failed} calls failed"));
        }

        Console.WriteLine();
        Console.WriteLine("The aim: nothing is sent into a closed door, and with Pace nothing is rejected and 95 % of the quota is used.");
        Console.WriteLine("AWS and Stripe report no quota, so that nothing can be avoided: the preset only recognises their rejections.");
        if (options.Plot is { } plot)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(plot))!);
            File.WriteAllText(plot, QuotaPlot.Draw(runs.First(r => r.Api.Limits().Length == 1), runs.Skip(1).First()));
            Console.WriteLine($"plot: {plot}");
        }

        return isMet ? 0 : 1;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
