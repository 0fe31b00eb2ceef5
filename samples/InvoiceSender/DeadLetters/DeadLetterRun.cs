using System.Diagnostics;
using HttpResilience;

namespace InvoiceSender;

/// <summary>Sends the file once, with the resilient client, and stores invoices that finally fail as dead letters.</summary>
internal sealed class DeadLetterRun(SenderOptions options, string store, HostFactory createHost, ProgressDisplay display)
{
    private static readonly TimeSpan WriteInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly StatusFile _file = new(options.Csv);
    private bool _canWrite = true;
    private long _writtenAt;

    public async Task<DeadLetterRunReport> RunAsync(IReadOnlyList<Invoice> invoices, CancellationToken cancellationToken)
    {
        await using var run = await SendingRun.StartAsync(
            ClientKind.Resilient, InvoiceKeys.None, invoices.Count, options, createHost, cancellationToken);
        var review = run.Services.GetRequiredService<IDeadLetterReview>();
        var earlier = await EarlierRun.OpenAsync(
            run.Services.GetRequiredService<ICheckpointStore>(), options.Csv, invoices, options.Resume, cancellationToken);
        var statusTexts = options.Resume ? _file.Read() : new Dictionary<(string, string), string>();
        var rows = new RowStates(earlier, statusTexts, await InvoiceLetters.ReadAsync(review, cancellationToken));
        Write(invoices, rows);

        using var requests = run.CountRequests();
        var started = Stopwatch.GetTimestamp();
        var settled = invoices.Where(invoice => rows.Letters.SettlementOf(invoice) is not null).Select(invoice => invoice.Id).ToHashSet();
        var reports = await display.ShowAsync<BatchReport?>(invoices.Count, [(ClientKind.Resilient.Title, progress => run.Batch.SendAsync(
            invoices, settled, InvoiceKeys.None, OnOutcome, progress, earlier.Checkpoint, cancellationToken))]);
        var report = reports[0];
        var elapsed = Stopwatch.GetElapsedTime(started);

        await CloseLettersAsync(invoices, rows, review);
        Write(invoices, rows);
        if (report is { StopReason: BatchStopReason.Completed }) await earlier.DeleteAsync();
        var alertReport = await run.StopAsync(cancellationToken);
        return Report(invoices, rows, run.Api) with
        {
            AlertReport = alertReport,
            Interrupted = report is null,
            StoppedBy = report?.StoppedBy?.Error,
            Requests = requests.Count,
            ElapsedSeconds = Math.Round(elapsed.TotalSeconds, 2),
        };

        void OnOutcome(InvoiceOutcome outcome)
        {
            rows.Add(outcome);
            // The status file is written during the run, so that a kill leaves a recent one.
            lock (_lock)
                if (Stopwatch.GetElapsedTime(_writtenAt) >= WriteInterval) Write(invoices, rows);
        }
    }

    private static async Task CloseLettersAsync(IReadOnlyList<Invoice> invoices, RowStates rows, IDeadLetterReview review)
    {
        // The letters of this run exist only now; they are closed even when the run was cancelled.
        rows.Letters = await InvoiceLetters.ReadAsync(review, CancellationToken.None);
        foreach (var invoice in invoices.Where(rows.IsDone))
        {
            if (rows.FailureOf(invoice) is not { } failure)
                await rows.Letters.CloseAsync(review, invoice, rows.TextOf(invoice), except: null);
            else if (failure.DeadLetterId is { } id) await rows.Letters.CloseAsync(review, invoice, $"replaced by {id}", except: id);
        }

        rows.Letters = await InvoiceLetters.ReadAsync(review, CancellationToken.None);
    }

    private void Write(IReadOnlyList<Invoice> invoices, RowStates rows)
    {
        if (!_canWrite) return;

        try
        {
            _file.Write(invoices, rows.TextOf);
            _writtenAt = Stopwatch.GetTimestamp();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _canWrite = false;
            Console.Error.WriteLine($"Cannot write {_file.Path}, continuing without it: {exception.Message}");
        }
    }

    private DeadLetterRunReport Report(IReadOnlyList<Invoice> invoices, RowStates rows, FlakyApi? api)
    {
        var stored = api?.Stored;
        var failed = invoices.Where(invoice => rows.FailureOf(invoice) is not null).ToLookup(invoice => rows.LetterOf(invoice) is not null);
        return new()
        {
            Seed = options.Api is null ? options.Seed : null,
            Invoices = invoices.Count,
            Accepted = invoices.Count(invoice => rows.IsDone(invoice) && rows.FailureOf(invoice) is null),
            NotSent = invoices.Count(invoice => !rows.IsDone(invoice)),
            Store = store,
            StatusFile = _canWrite ? _file.Path : null,
            Letters = [.. failed[true].Select(rows.LetterOf).OfType<DeadLetter>()],
            Rows = [.. failed[true].Select(Row)],
            Lost = [.. failed[false].Select(Row)],
            Stored = stored?.Count,
            Duplicated = stored?.Values.Count(times => times > 1),
        };

        RowReport Row(Invoice invoice) => RowReport.Of(invoice, rows.FailureOf(invoice)!) with { Next = Next(invoice) };

        // The reason is printed in the line above.
        string? Next(Invoice invoice) => rows.LetterOf(invoice) is not { } letter ? null
            : $"{(letter.Status is DeadLetterStatus.RequiresReview ? "needs correction" : rows.TextOf(invoice))} (dead letter {letter.Id})";
    }
}
