using HttpResilience;
using Spectre.Console;

namespace InvoiceSender;

/// <summary>Shows the progress of a run: a live bar on a terminal, elsewhere a line for every 10 %.</summary>
internal sealed class ProgressDisplay(IAnsiConsole console, bool plain)
{
    private readonly bool _live = !plain && console.Profile.Capabilities is { Interactive: true, Ansi: true };

    public Task<T> ShowAsync<T>(string client, int total, Func<IProgress<BatchProgress>, Task<T>> run)
    {
        if (!_live)
        {
            var tenth = 0;
            return run(new Listener(done =>
            {
                if (done.Done * 10 / total <= tenth) return;
                tenth = (int)(done.Done * 10 / total);
                console.WriteLine($"{client}: {done.Done}/{total}, {Text(done)}");
            }));
        }

        return console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 30 }, new PercentageColumn(),
                new ElapsedTimeColumn())
            .StartAsync(context =>
            {
                var task = context.AddTask(client, maxValue: total);
                return run(new Listener(done =>
                {
                    task.Value = done.Done;
                    task.Description = $"{client}: {Text(done)}";
                }));
            });
    }

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
