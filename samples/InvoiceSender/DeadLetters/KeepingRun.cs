using System.Diagnostics;
using HttpResilience;

namespace InvoiceSender;

/// <summary>Sends the file once, with the resilient client, and keeps what fails for good.</summary>
internal sealed class KeepingRun(SenderOptions options, string store, HostFactory createHost, ProgressDisplay display)
{
    private static readonly TimeSpan WriteEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly StatusFile _file = new(options.Csv);
    private bool _writes = true;
    private long _writtenAt;

    public async Task<KeptReport> RunAsync(IReadOnlyList<Invoice> invoices, CancellationToken cancellationToken)
    {
        await using var run = await SendingRun.StartAsync(ClientKind.Resilient, invoices.Count, options, createHost, cancellationToken);
        var review = run.Services.GetRequiredService<IDeadLetterReview>();
        var earlier = await EarlierRun.OpenAsync(run.Services.GetRequiredService<ICheckpointStore>(), options.Csv, invoices, options.Resume, cancellationToken);
        var rows = new RowStates(earlier, options.Resume ? _file.Read() : new Dictionary<(string, string), string>(), await InvoiceLetters.ReadAsync(review, cancellationToken));
        Write(invoices, rows);

        using var requests = run.CountRequests();
        var started = Stopwatch.GetTimestamp();
        var report = await display.ShowAsync(ClientKind.Resilient.Title, invoices.Count, progress => run.Batch.SendAsync(
            invoices, invoices.Where(invoice => rows.Letters.SettlementOf(invoice) is not null).Select(invoice => invoice.Id).ToHashSet(), Tell, progress, earlier.Checkpoint, cancellationToken));
        var elapsed = Stopwatch.GetElapsedTime(started);

        await CloseLettersAsync(invoices, rows, review);
        Write(invoices, rows);
        if (report is { StopReason: BatchStopReason.Completed }) await earlier.ForgetAsync();
        var told = await run.StopAsync(cancellationToken);
        return Report(invoices, rows, run.Api) with
        {
            Told = told,
            Interrupted = report is null,
            StoppedBy = report?.StoppedBy?.Error,
            Requests = requests.Count,
            ElapsedSeconds = Math.Round(elapsed.TotalSeconds, 2),
        };

        void Tell(InvoiceOutcome outcome)
        {
            rows.Add(outcome);
            // Whoever is killed leaves most of it behind.
            lock (_lock)
                if (Stopwatch.GetElapsedTime(_writtenAt) >= WriteEvery) Write(invoices, rows);
        }
    }

    private static async Task CloseLettersAsync(IReadOnlyList<Invoice> invoices, RowStates rows, IDeadLetterReview review)
    {
        // Those of this run are read only now; what is done is done, whoever has cancelled the rest.
        rows.Letters = await InvoiceLetters.ReadAsync(review, CancellationToken.None);
        foreach (var invoice in invoices.Where(rows.IsDone))
        {
            if (rows.FailureOf(invoice) is not { } failure) await rows.Letters.CloseAsync(review, invoice, rows.TextOf(invoice), except: null);
            else if (failure.DeadLetterId is { } id) await rows.Letters.CloseAsync(review, invoice, $"in its place: {id}", except: id);
        }

        rows.Letters = await InvoiceLetters.ReadAsync(review, CancellationToken.None);
    }

    private void Write(IReadOnlyList<Invoice> invoices, RowStates rows)
    {
        if (!_writes) return;

        try
        {
            _file.Write(invoices, rows.TextOf);
            _writtenAt = Stopwatch.GetTimestamp();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _writes = false;
            Console.Error.WriteLine($"Goes on without {_file.Path}: {exception.Message}");
        }
    }

    private KeptReport Report(IReadOnlyList<Invoice> invoices, RowStates rows, FlakyApi? api)
    {
        var (stored, failed) = (api?.Stored, invoices.Where(invoice => rows.FailureOf(invoice) is not null).ToLookup(invoice => rows.LetterOf(invoice) is not null));
        return new()
        {
            Seed = options.Api is null ? options.Seed : null,
            Invoices = invoices.Count,
            Accepted = invoices.Count(invoice => rows.IsDone(invoice) && rows.FailureOf(invoice) is null),
            NotSent = invoices.Count(invoice => !rows.IsDone(invoice)),
            Store = store,
            StatusFile = _writes ? _file.Path : null,
            Kept = [.. failed[true].Select(rows.LetterOf).OfType<DeadLetter>()],
            Rows = [.. failed[true].Select(Row)],
            Lost = [.. failed[false].Select(Row)],
            Stored = stored?.Count,
            Duplicated = stored?.Values.Count(times => times > 1),
        };

        RowReport Row(Invoice invoice) => RowReport.Of(invoice, rows.FailureOf(invoice)!) with { Next = Next(invoice) };

        // The reason stands above it.
        string? Next(Invoice invoice) => rows.LetterOf(invoice) is not { } letter ? null
            : $"{(letter.Status is DeadLetterStatus.RequiresReview ? "needs correction" : rows.TextOf(invoice))} (dead letter {letter.Id})";
    }
}
