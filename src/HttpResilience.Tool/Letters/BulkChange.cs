using System.Globalization;
using System.Text.Json;

namespace HttpResilience.Tool;

/// <summary>What a command did to letters: the output of <c>--json</c>.</summary>
/// <param name="Done">How many were changed.</param>
/// <param name="ChangedMeanwhile">How many letters another person or process changed after the count; the command left them.</param>
/// <param name="LeftOut">How many were not touched because they may be done twice.</param>
/// <param name="By">The person.</param>
internal sealed record ChangeReport(int Done, int ChangedMeanwhile, int LeftOut, string By);

/// <summary>Changes the letters that were counted, one after the other, until it is interrupted.</summary>
internal static class BulkChange
{
    private const int ProgressEvery = 100;

    /// <param name="selection">The letters.</param>
    /// <param name="perSecond">How many a second at most; null for as fast as it goes.</param>
    /// <param name="change">Changes one in the version that was counted.</param>
    /// <param name="by">The person.</param>
    /// <param name="cancellationToken">Stops: the letters that were not reached stay as they are.</param>
    internal static async Task<ChangeReport> RunAsync(
        LetterSelection selection, double? perSecond, Func<CountedLetter, Task> change, string by, CancellationToken cancellationToken)
    {
        int done = 0, changed = 0;
        using var pace = perSecond is { } rate ? new PeriodicTimer(TimeSpan.FromSeconds(1 / rate)) : null;
        try
        {
            foreach (var letter in selection.Letters)
            {
                if (pace is not null && done + changed > 0)
                    await pace.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                if (await TryAsync(change, letter).ConfigureAwait(false))
                    done++;
                else
                    changed++;
                if ((done + changed) % ProgressEvery == 0)
                    Output.Say(string.Create(CultureInfo.InvariantCulture, $"{done + changed:N0} of {selection.Letters.Count:N0}"));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Output.Say($"Stopped: {LetterSelection.Count(done)} done, the others stay as they were.");
            throw;
        }

        return new(done, changed, selection.LeftOut, by);
    }

    /// <summary>Prints the report; 0 when something was done.</summary>
    /// <param name="report">The report.</param>
    /// <param name="did">What was done, such as "are sent again".</param>
    /// <param name="json">As JSON.</param>
    internal static int Write(ChangeReport report, string did, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(report, ToolJson.Default.ChangeReport));
        }
        else
        {
            Output.Write($"{LetterSelection.Count(report.Done)} {did}, as {report.By}.");
            if (report.ChangedMeanwhile > 0)
                Output.Write($"{LetterSelection.Count(report.ChangedMeanwhile)} changed meanwhile and stayed as they are.");
        }

        return report.Done > 0 ? ExitCode.Done : ExitCode.Failed;
    }

    // Changed, settled, being sent, or gone.
    private static async Task<bool> TryAsync(Func<CountedLetter, Task> change, CountedLetter letter)
    {
        try
        {
            await change(letter).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or KeyNotFoundException)
        {
            return false;
        }
    }
}
