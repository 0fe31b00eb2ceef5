using Spectre.Console;

namespace InvoiceSender;

/// <summary>Shows how far a run is: a live bar on a terminal, a plain line for every tenth elsewhere.</summary>
internal sealed class ProgressDisplay(IAnsiConsole console, bool plain)
{
    private readonly bool _live = !plain && console.Profile.Capabilities is { Interactive: true, Ansi: true };

    public Task<T> ShowAsync<T>(string client, int total, Func<IProgress<InvoiceOutcome>, Task<T>> run)
    {
        if (!_live) return run(new Tally(total, tally => WriteTenth(client, tally)));

        return console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 30 }, new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(context =>
            {
                var task = context.AddTask(client, maxValue: total);
                return run(new Tally(total, tally =>
                {
                    task.Value = tally.Done;
                    task.Description = $"{client}: {tally}";
                }));
            });
    }

    private void WriteTenth(string client, Tally tally)
    {
        if (tally.Done * 10 / tally.Total != (tally.Done - 1) * 10 / tally.Total)
            console.WriteLine($"{client}: {tally.Done}/{tally.Total}, {tally}");
    }

    private sealed class Tally(int total, Action<Tally> changed) : IProgress<InvoiceOutcome>
    {
        private readonly Lock _lock = new();
        private int _accepted, _badData, _failed;

        public int Total => total;
        public int Done => _accepted + _badData + _failed;

        public void Report(InvoiceOutcome value)
        {
            lock (_lock)
            {
                _ = value.Result switch
                {
                    InvoiceResult.Accepted => _accepted++,
                    InvoiceResult.BadData => _badData++,
                    _ => _failed++,
                };
                changed(this);
            }
        }

        public override string ToString() => $"{_accepted} accepted, {_badData} bad data, {_failed} failed";
    }
}
