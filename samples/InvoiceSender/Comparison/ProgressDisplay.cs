using HttpResilience;
using Spectre.Console;

namespace InvoiceSender;

/// <summary>Shows the progress of a run: a live bar on a terminal, elsewhere a line for every 10 %.</summary>
internal sealed class ProgressDisplay(IAnsiConsole console, bool plain)
{
    private readonly bool _live = !plain && console.Profile.Capabilities is { Interactive: true, Ansi: true };

    /// <summary>A run that reports its progress.</summary>
    public delegate Task<T> Shown<T>(IProgress<BatchProgress> progress);

    /// <summary>Makes the runs at the same time.</summary>
    /// <returns>Their results, in the same order.</returns>
    public Task<T[]> ShowAsync<T>(int total, IReadOnlyList<(string Title, Shown<T> Run)> runs)
    {
        if (!_live) return Task.WhenAll(runs.Select(run => run.Run(Lines(run.Title, total))));

        return console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 30 }, new PercentageColumn(),
                new ElapsedTimeColumn())
            .StartAsync(context => Task.WhenAll(runs.Select(run => run.Run(Bar(context.AddTask(run.Title, maxValue: total), run.Title)))));
    }

    private Listener Lines(string title, int total)
    {
        var tenth = 0;
        return new(done =>
        {
            if (done.Done * 10 / total <= tenth) return;
            tenth = (int)(done.Done * 10 / total);
            console.WriteLine($"{title}: {done.Done}/{total}, {Text(done)}");
        });
    }

    private static Listener Bar(ProgressTask task, string title) => new(done =>
    {
        task.Value = done.Done;
        task.Description = $"{title}: {Text(done)}";
    });

    private static string Text(BatchProgress done) =>
        $"{done.Succeeded} accepted, {done.Failed} failed{(done.Skipped > 0 ? $", {done.Skipped} skipped" : "")}";

    private sealed class Listener(Action<BatchProgress> show) : IProgress<BatchProgress>
    {
        private readonly Lock _lock = new();

        public void Report(BatchProgress value)
        {
            lock (_lock) show(value);
        }
    }
}
