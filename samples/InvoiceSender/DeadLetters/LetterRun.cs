using System.Diagnostics;
using HttpResilience;
using HttpResilience.Storage;

namespace InvoiceSender;

/// <summary>
/// Sends the letters that are due and those of jobs, as a service with <c>AddDeadLetterReplay</c> does all the time, and ends when none is
/// left.
/// </summary>
/// <param name="api">Null: the sample's own API, without faults.</param>
internal sealed class LetterRun(string store, Uri? api, bool verbose, HostFactory createHost, ProgressDisplay display)
{
    private const int PageSize = 500;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    public async Task<LetterRunReport> RunAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(store))
            throw new CommandException(
                $"There is no dead-letter store at {store}. To create one, send invoices: {Self.Command("--dead-letters", store)}");
        if (api is null && !File.Exists(LedgerFile.PathFor(store)))
            throw new CommandException(
                $"The letters in {store} are not addressed to the sample's own API. Give the API with --api URL.");

        await using var ownApi = api is null ? await FlakyApi.StartAsync(null, store, cancellationToken) : null;
        var address = api ?? ownApi!.Address;
        var host = createHost(ClientKind.Resilient, isCompared: false, address, store, sendsLetters: true, null, logging =>
        {
            logging.ClearProviders();
            if (verbose) Terminal.AddLog(logging);
        });
        // A durable store is disposed asynchronously.
        await using var disposed = (IAsyncDisposable)host;
        return await SendAsync(host, new(host.Services, address), cancellationToken) with { Stored = ownApi?.Stored };
    }

    private async Task<LetterRunReport> SendAsync(IHost host, Letters letters, CancellationToken cancellationToken)
    {
        var (before, total) = (await letters.ReadAsync(cancellationToken), await letters.LeftAsync(cancellationToken));
        // The worker of AddDeadLetterReplay sends.
        await host.StartAsync(cancellationToken);
        var interrupted = false;
        var started = Stopwatch.GetTimestamp();
        await display.ShowAsync<bool>(Math.Max(1, (int)total), [("Letters", async progress =>
        {
            try
            {
                while (await letters.LeftAsync(cancellationToken) > 0)
                {
                    Show(progress, await letters.ReadAsync(cancellationToken));
                    await Task.Delay(LookEvery, cancellationToken);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                interrupted = true;
            }

            // What is being sent is completed.
            await host.StopAsync(CancellationToken.None);
            Show(progress, await letters.ReadAsync(CancellationToken.None));
            return true;
        })]);
        return Report(await letters.ReadAsync(CancellationToken.None)) with { Interrupted = interrupted };

        void Show(IProgress<BatchProgress> progress, IReadOnlyList<DeadLetter> now)
        {
            var report = Report(now);
            progress.Report(new(report.Accepted, report.Sent - report.Accepted, 0, total, Stopwatch.GetElapsedTime(started)));
        }

        LetterRunReport Report(IReadOnlyList<DeadLetter> now)
        {
            var replays = before.ToDictionary(letter => letter.Id, letter => letter.Replays);
            DeadLetter[] sent = [.. now.Where(letter => letter.Replays > replays.GetValueOrDefault(letter.Id))];
            return new()
            {
                Store = store,
                Sent = sent.Length,
                Accepted = sent.Count(letter => letter.Status is DeadLetterStatus.Replayed),
                Waiting = now.Count(letter => letter.Status is DeadLetterStatus.Pending or DeadLetterStatus.InProgress),
                Review = now.Count(letter => letter.Status is DeadLetterStatus.RequiresReview),
                Elsewhere = now.Count(letters.IsElsewhere),
            };
        }
    }

    /// <summary>The letters of the store, and what is left to send.</summary>
    private sealed class Letters(IServiceProvider services, Uri address)
    {
        private readonly IDeadLetterReview _review = services.GetRequiredService<IDeadLetterReview>();
        private readonly LetterJobs _jobs = services.GetRequiredService<LetterJobs>();

        /// <summary>The letters that are due or being sent, and those that jobs have still to make due.</summary>
        public async Task<long> LeftAsync(CancellationToken cancellationToken)
        {
            // First the jobs: a letter that one makes due afterwards is found.
            var jobs = await _jobs.ListAsync(LetterJobState.Running, cancellationToken: cancellationToken);
            var waiting = (await ReadAsync(cancellationToken)).Count(letter => IsLeft(letter, DateTimeOffset.UtcNow));
            return Math.Max(jobs.Count, waiting + jobs.Sum(job => Math.Max(0, job.Total - job.Taken - job.LeftOut)));
        }

        public async Task<IReadOnlyList<DeadLetter>> ReadAsync(CancellationToken cancellationToken)
        {
            List<DeadLetter> all = [];
            var query = new DeadLetterQuery { Limit = PageSize, OmitBodies = true };
            while (await _review.ListAsync(query, cancellationToken) is { Count: > 0 } page)
            {
                all.AddRange(page);
                query = query with { Before = page[^1].Id };
            }

            return all;
        }

        /// <summary>Whether it waits for another API, to which this process may not send it.</summary>
        public bool IsElsewhere(DeadLetter letter) => letter.Status is DeadLetterStatus.Pending
            && letter.Uri.GetLeftPart(UriPartial.Authority) != address.GetLeftPart(UriPartial.Authority);

        // What a person or a job asks for has a resolution, and may be due some seconds later.
        private bool IsLeft(DeadLetter letter, DateTimeOffset now) => letter.Status is DeadLetterStatus.InProgress
            || (letter is { Status: DeadLetterStatus.Pending }
                && (letter.Resolution is not null || (letter.DueAt <= now && !IsElsewhere(letter))));
    }
}
