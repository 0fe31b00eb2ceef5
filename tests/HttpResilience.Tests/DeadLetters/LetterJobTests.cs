using Microsoft.Extensions.Logging.Abstractions;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>A change of many letters: what is made due and when, what is left out, and what ends it.</summary>
public sealed class LetterJobTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 2, 12, 0, 0, TimeSpan.Zero);

    private readonly InMemoryStorage _storage = new();
    private readonly ManualTimeProvider _time = new(Noon);
    private readonly HashSet<string> _paused = [];
    private int _added;
    private readonly LetterJobs _jobs;
    private readonly LetterJobWorker _worker;

    public LetterJobTests()
    {
        _jobs = new(_storage.DeadLetters, _storage.Jobs, _time);
        _worker = Worker();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Letters_are_due_at_the_rate_and_for_the_next_10_seconds_only()
    {
        var letters = await AddAsync(80);
        var job = await StartAsync();

        await StepAsync(job);

        var due = await DueAsync();
        due.Select(l => l.DueAt).ShouldBe(Enumerable.Range(0, 50).Select(i => Noon.AddMilliseconds((i + 1) * 200)));
        // The newest first.
        due.Select(l => l.Id).ShouldBe(letters.Reverse().Take(50).Select(l => l.Id));
        await StepAsync(job);
        (await DueAsync()).Count.ShouldBe(50);

        await SendAsync(due.Take(20), accepted: true);
        _time.Advance(TimeSpan.FromSeconds(4));
        await StepAsync(job);

        due = await DueAsync();
        due.Count.ShouldBe(50);
        due[^1].DueAt.ShouldBe(_time.GetUtcNow().AddSeconds(50 / 5.0), TimeSpan.FromSeconds(1));
        var now = await FindAsync(job);
        (now.Taken, now.Total, now.State).ShouldBe((70, 80, LetterJobState.Running));
    }

    [Fact]
    public async Task A_job_ends_when_the_last_letter_has_been_sent()
    {
        await AddAsync(7);
        var job = await StartAsync();
        await StepAsync(job);
        await StepAsync(job);
        (await FindAsync(job)).State.ShouldBe(LetterJobState.Running);

        await SendAsync(await DueAsync(), accepted: true);
        await StepAsync(job);

        var ended = await FindAsync(job);
        (ended.State, ended.Taken, ended.LeftOut, ended.EndedAt, ended.StopReason).ShouldBe((LetterJobState.Completed, 7, 0, Noon, null));
        var progress = await _jobs.ProgressAsync(job.Id, Stop);
        (progress.Waiting, progress.Accepted, progress.Refused).ShouldBe((0, 7, 0));
    }

    [Fact]
    public async Task A_job_that_is_stopped_leaves_what_is_not_out_as_it_was()
    {
        var letters = await AddAsync(80);
        var job = await StartAsync();
        await StepAsync(job);
        var due = await DueAsync();
        await SendAsync(due.Take(3), accepted: true);
        await ClaimAsync(due[3]);
        _time.Advance(TimeSpan.FromSeconds(1));

        var stopped = await _jobs.StopAsync(job.Id, "ben", Stop);

        (stopped.State, stopped.StopReason, stopped.EndedAt)
            .ShouldBe((LetterJobState.Stopped, "Stopped by ben", Noon.AddSeconds(1)));
        var now = await AllAsync();
        now.Count(l => l.Status is DeadLetterStatus.Replayed).ShouldBe(3);
        now.Count(l => l.Status is DeadLetterStatus.InProgress).ShouldBe(1);
        var rest = now.Where(l => l.Status is DeadLetterStatus.RequiresReview).ToList();
        rest.Count.ShouldBe(76);
        rest.ShouldAllBe(l => l.SuggestedAction == "Fix it" && l.Resolution == null && l.Job == null);
        await StepAsync(job);
        (await DueAsync()).ShouldBeEmpty();
        (await _storage.Activity.ListAsync(null, 10, Stop)).Select(a => $"{a.Action} {a.Letters} {a.By}")
            .ShouldBe(["StopJob 50 ben", "StartJob 80 anna"]);
        (await _jobs.StopAsync(job.Id, "carl", Stop)).StopReason.ShouldBe("Stopped by ben");
        await Should.ThrowAsync<KeyNotFoundException>(() => _jobs.StopAsync(letters[0].Id, "ben", Stop));
    }

    [Theory]
    [InlineData(10, false)]
    [InlineData(11, true)]
    public async Task A_job_stops_when_more_than_half_of_the_last_20_letters_were_refused(int refused, bool stops)
    {
        await AddAsync(80);
        var job = await StartAsync();
        await StepAsync(job);
        var due = await DueAsync();
        await SendAsync(due.Take(15), accepted: true);
        _time.Advance(TimeSpan.FromSeconds(1));
        await SendAsync(due.Skip(15).Take(refused), accepted: false);

        await StepAsync(job);

        var now = await FindAsync(job);
        now.State.ShouldBe(stops ? LetterJobState.Stopped : LetterJobState.Running);
        if (stops)
        {
            now.StopReason.ShouldBe("11 of the last 20 letters were not accepted");
            (await DueAsync()).ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task Letters_that_come_after_the_count_are_not_swept_along()
    {
        var before = await AddAsync(3);
        var job = await StartAsync();
        await AddAsync(5);

        await StepAsync(job);

        (await DueAsync()).Select(l => l.Id).ShouldBe(before.Reverse().Select(l => l.Id));
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 3)]
    public async Task Letters_that_may_be_processed_twice_are_left_out_unless_they_are_wanted(bool includes, int taken)
    {
        await AddAsync(1);
        await AddAsync(1, l => l with { MayHaveBeenProcessed = true });
        await AddAsync(1, l => l with { MayHaveBeenProcessed = true, IdempotencyKey = "k" });
        await AddAsync(1, l => l with { Status = DeadLetterStatus.InProgress, DueAt = Noon.AddDays(1) });
        var job = await StartAsync(r => r with { IncludesUncertain = includes });

        await StepAsync(job);

        var now = await FindAsync(job);
        (now.Taken, now.LeftOut).ShouldBe((taken, 4 - taken));
    }

    [Fact]
    public async Task No_more_letters_are_taken_than_were_asked_for()
    {
        await AddAsync(30);
        var job = await StartAsync(r => r with { MaxLetters = 1 });
        job.Total.ShouldBe(1);

        await StepAsync(job);
        await StepAsync(job);
        await SendAsync((await DueAsync()).ToList(), accepted: false);
        await StepAsync(job);

        (await FindAsync(job)).ShouldSatisfyAllConditions(j => j.Taken.ShouldBe(1), j => j.State.ShouldBe(LetterJobState.Completed));
    }

    [Fact]
    public async Task Letters_are_settled_with_the_notes_and_can_be_reopened()
    {
        await AddAsync(450);
        var job = await StartAsync(r => r with { Action = LetterJobAction.Resolve, Notes = "entered by hand" });

        for (int i = 0; i < 4; i++)
            await StepAsync(job);

        var all = await AllAsync();
        all.ShouldAllBe(
            l => l.Status == DeadLetterStatus.Resolved && l.Resolution!.Notes == "entered by hand" && l.Resolution.By == "anna");
        (await FindAsync(job)).ShouldSatisfyAllConditions(j => j.Taken.ShouldBe(450), j => j.State.ShouldBe(LetterJobState.Completed));
        new LetterChange("ben", Noon).Reopened(all[0]).Status.ShouldBe(DeadLetterStatus.RequiresReview);
    }

    [Fact]
    public async Task While_a_job_runs_no_second_one_with_its_filter_or_its_id_starts()
    {
        await AddAsync(3);
        var first = await StartAsync();

        (await StartAsync()).Id.ShouldBe(first.Id);
        (await StartAsync(r => r with { By = "ben" })).Request.By.ShouldBe("anna");
        (await StartAsync(r => r with { Query = new() { ClientName = "other" } }, first.Id)).ShouldBe(first);
        var atOnce = Enumerable.Range(0, 8).Select(_ => Task.Run(() => StartAsync(r => r with { Query = new() { Tenant = "a" } })));
        (await Task.WhenAll(atOnce)).Select(j => j.Id).Distinct().ShouldHaveSingleItem();

        await _jobs.StopAsync(first.Id, "ben", Stop);
        (await StartAsync()).Id.ShouldNotBe(first.Id);
        (await StartAsync(id: first.Id)).State.ShouldBe(LetterJobState.Stopped);
    }

    [Fact]
    public async Task A_job_stops_when_its_client_is_paused()
    {
        await AddAsync(3);
        var job = await StartAsync();
        _paused.Add("invoices");

        await StepAsync(job);

        var now = await FindAsync(job);
        (now.State, now.StopReason, now.Taken).ShouldBe((LetterJobState.Stopped, "Client invoices is paused", 0));
        (await DueAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(null)]
    public async Task A_job_that_has_taken_all_its_letters_stops_when_their_client_is_paused(int? max)
    {
        await AddAsync(3);
        var job = await StartAsync(r => r with { MaxLetters = max });
        await StepAsync(job);
        _paused.Add("invoices");

        await StepAsync(job);

        (await FindAsync(job)).StopReason.ShouldBe("Client invoices is paused");
        (await DueAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_low_rate_is_not_exceeded_when_letters_are_sent_at_once()
    {
        await AddAsync(9);
        var job = await StartAsync(r => r with { PerSecond = 0.1 });
        List<DateTimeOffset> due = [];

        for (int second = 0; second < 60; second++)
        {
            await StepAsync(job);
            var now = (await DueAsync()).Where(l => l.DueAt <= _time.GetUtcNow()).ToList();
            due.AddRange(now.Select(l => l.DueAt));
            await SendAsync(now, accepted: true);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        due.Count.ShouldBeInRange(5, 6);
        due.Zip(due.Skip(1), (one, next) => next - one).ShouldAllBe(between => between >= TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Of_two_jobs_over_one_letter_both_stopped_the_letter_is_what_it_was()
    {
        var letter = (await AddAsync(1))[0];
        var first = await StartAsync();
        var second = await StartAsync(r => r with { Query = new() { Fingerprint = letter.Fingerprint } });
        await StepAsync(first);
        await StepAsync(second);
        (await FindAsync(second)).LeftOut.ShouldBe(1);

        await _jobs.StopAsync(second.Id, "ben", Stop);
        await _jobs.StopAsync(first.Id, "ben", Stop);

        (await AllAsync()).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            l => l.Status.ShouldBe(DeadLetterStatus.RequiresReview), l => l.SuggestedAction.ShouldBe("Fix it"), l => l.Job.ShouldBeNull());
    }

    [Fact]
    public async Task What_a_stopped_job_has_left_due_is_restored_later_also_what_was_being_sent_and_returned()
    {
        await AddAsync(3);
        var job = await StartAsync();
        await StepAsync(job);
        var due = await DueAsync();
        await ClaimAsync(due[0]);
        await _jobs.StopAsync(job.Id, "ben", Stop);
        var claimed = (await AllAsync()).Single(l => l.Status is DeadLetterStatus.InProgress);
        await _storage.DeadLetters.UpdateAsync(claimed with { Status = DeadLetterStatus.Pending, DueAt = Noon }, Stop);
        (await DueAsync()).Count.ShouldBe(1);

        await _worker.RestoreAsync(await FindAsync(job), Stop);

        (await DueAsync()).ShouldBeEmpty();
        (await AllAsync()).ShouldAllBe(l => l.Status == DeadLetterStatus.RequiresReview);
    }

    [Fact]
    public async Task Many_workers_take_each_letter_once()
    {
        await AddAsync(400);
        var job = await StartAsync(r => r with { PerSecond = 100 });

        while ((await FindAsync(job)) is { State: LetterJobState.Running } running)
        {
            await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Worker().StepAsync(running, Stop))));
            await SendAsync((await DueAsync()).Take(37), accepted: true);
        }

        (await FindAsync(job)).Taken.ShouldBe(400);
        (await AllAsync()).ShouldAllBe(
            l => l.Status == DeadLetterStatus.Replayed && l.History.Count(e => e.Kind == LetterEventKind.ReplayRequested) == 1);
    }

    [Theory]
    [InlineData(LetterJobAction.Replay)]
    [InlineData(LetterJobAction.Resolve)]
    public async Task A_letter_that_somebody_changes_after_a_job_has_read_it_stays_as_that_person_left_it(LetterJobAction action)
    {
        var letters = await AddAsync(3);
        var job = await StartAsync(r => r with { Action = action });
        _storage.Intercept = async (operation, run) =>
        {
            if (operation.Method == nameof(IDeadLetterStore.CommitAsync))
            {
                _storage.Intercept = null;
                var read = (await _storage.DeadLetters.FindAsync(letters[1].Id, Stop))!;
                var resolved = new LetterChange("ben", Noon).Resolved(read, "Credited", null);
                (await _storage.DeadLetters.UpdateAsync(resolved, Stop)).ShouldBeTrue();
            }

            await run();
        };

        await StepAsync(job);
        (await AllAsync()).Count(l => l.Version > 0).ShouldBe(1);
        await StepAsync(job);

        var changed = (await _storage.DeadLetters.FindAsync(letters[1].Id, Stop))!;
        (changed.Status, changed.Resolution!.By, changed.Version).ShouldBe((DeadLetterStatus.Resolved, "ben", 1));
        ((await FindAsync(job)).Taken, (await FindAsync(job)).LeftOut).ShouldBe((2, 0), "it is settled: nothing of it is left to do");
    }

    [Fact]
    public async Task What_a_job_has_resolved_is_reopened_unless_somebody_has_changed_it_since()
    {
        var letters = await AddAsync(250, l => l with { Status = DeadLetterStatus.Pending });
        var job = await StartAsync(r => r with { Action = LetterJobAction.Resolve, Resolution = "Credited", Notes = "by hand" });
        await Should.ThrowAsync<InvalidOperationException>(() => _jobs.ReopenAsync(job.Id, "ben", null, Stop));
        while ((await FindAsync(job)).State is LetterJobState.Running)
            await StepAsync(job);
        var resolved = await AllAsync();
        resolved.ShouldAllBe(l => l.Status == DeadLetterStatus.Resolved && l.Resolution!.Action == "Credited");
        var again = new LetterChange("carol", Noon).Resolved(new LetterChange("carol", Noon).Reopened(resolved[7]), "Paid", null);
        await _storage.DeadLetters.UpdateAsync(again, Stop);
        var own = (await AddAsync(1, l => l with { Status = DeadLetterStatus.Resolved }))[0];

        var undo = await _jobs.ReopenAsync(job.Id, "ben", null, Stop);
        (await _jobs.ReopenAsync(job.Id, "ben", null, Stop)).Id.ShouldBe(undo.Id);
        while ((await FindAsync(undo)).State is LetterJobState.Running)
            await StepAsync(undo);

        var ended = await FindAsync(undo);
        (ended.State, ended.Total, ended.Taken, ended.LeftOut, ended.Request.Action)
            .ShouldBe((LetterJobState.Completed, 250, 249, 1, LetterJobAction.Reopen));
        var all = await AllAsync();
        var reopened = all.Where(l => l.Id != own.Id && l.Id != resolved[7].Id).ToList();
        reopened.ShouldAllBe(l => l.Status == DeadLetterStatus.Pending && l.SuggestedAction == "Fix it" && l.Resolution == null);
        reopened.Select(l => l.History[^1]).ShouldAllBe(
            e => e.Kind == LetterEventKind.Reopened && e.By == "ben" && e.JobId == undo.Id);
        all.Single(l => l.Id == resolved[7].Id).Resolution!.Action.ShouldBe("Paid");
        all.Single(l => l.Id == own.Id).Version.ShouldBe(own.Version);
        letters.Length.ShouldBe(250);
        // Both jobs were begun at one time, so that either may be the last.
        (await _storage.Activity.ListAsync(null, 10, Stop)).Where(a => a.JobId == undo.Id).ShouldHaveSingleItem()
            .ShouldSatisfyAllConditions(a => a.Action.ShouldBe("StartJob"), a => a.Letters.ShouldBe(250));
    }

    [Fact]
    public async Task Only_what_a_job_has_resolved_can_be_reopened()
    {
        await AddAsync(1);
        var job = await StartAsync();

        await Should.ThrowAsync<KeyNotFoundException>(() => _jobs.ReopenAsync(Guid.CreateVersion7(), "ben", null, Stop));
        (await Should.ThrowAsync<InvalidOperationException>(() => _jobs.ReopenAsync(job.Id, "ben", null, Stop)))
            .Message.ShouldContain("it has marked no letters as dealt with");
        await Should.ThrowAsync<ArgumentException>(() => StartAsync(r => r with { Action = LetterJobAction.Reopen }));
    }

    [Theory]
    [InlineData(0.05, 0.5, 1)]
    [InlineData(101, 0.5, 1)]
    [InlineData(double.NaN, 0.5, 1)]
    [InlineData(5, 1.1, 1)]
    [InlineData(5, -0.1, 1)]
    [InlineData(5, 0.5, 0)]
    public async Task A_value_out_of_its_range_is_refused(double perSecond, double ratio, int max)
    {
        await Should.ThrowAsync<ArgumentException>(
            () => StartAsync(r => r with { PerSecond = perSecond, StopRatio = ratio, MaxLetters = max }));
    }

    public void Dispose()
    {
        _worker.Dispose();
        _storage.Dispose();
    }

    private LetterJobWorker Worker() =>
        new(_storage.DeadLetters, _storage.Jobs, _paused.Contains, _time, NullLogger<LetterJobWorker>.Instance);

    private Task<LetterJob> StartAsync(Func<LetterJobRequest, LetterJobRequest>? with = null, Guid? id = null) => _jobs.StartAsync(
        (with ?? (r => r))(new() { Action = LetterJobAction.Replay, Query = new() { ClientName = "invoices" }, By = "anna" }), id, Stop);

    private async Task StepAsync(LetterJob job) => await _worker.StepAsync(await FindAsync(job), Stop);

    private async Task<LetterJob> FindAsync(LetterJob job) => (await _jobs.FindAsync(job.Id, Stop))!;

    private async Task<DeadLetter[]> AddAsync(int count, Func<DeadLetter, DeadLetter>? with = null)
    {
        List<DeadLetter> added = [];
        for (int i = 0; i < count; i++)
        {
            var letter = (with ?? (l => l))(Letter(Guid.CreateVersion7(Noon.AddMilliseconds(_added++))));
            await _storage.DeadLetters.AddAsync(letter, Stop);
            added.Add(letter);
        }

        return [.. added];
    }

    private async Task<IReadOnlyList<DeadLetter>> AllAsync() => await _storage.DeadLetters.ListAsync(new() { Limit = 1000 }, Stop);

    private async Task<IReadOnlyList<DeadLetter>> DueAsync() =>
        [.. (await AllAsync()).Where(l => l.Status is DeadLetterStatus.Pending).OrderBy(l => l.DueAt)];

    private async Task ClaimAsync(DeadLetter letter) =>
        await _storage.DeadLetters.UpdateAsync(letter with { Status = DeadLetterStatus.InProgress }, Stop);

    private async Task SendAsync(IEnumerable<DeadLetter> letters, bool accepted)
    {
        foreach (var letter in letters.ToList())
        {
            var now = _time.GetUtcNow();
            var result = accepted ? letter with { Status = DeadLetterStatus.Replayed, DueAt = now }
                : letter with { Status = DeadLetterStatus.RequiresReview, LastFailedAt = now, Replays = letter.Replays + 1 };
            (await _storage.DeadLetters.UpdateAsync(LetterHistory.AfterReplay(letter, result, "host:1", now), Stop)).ShouldBeTrue();
        }
    }

    private static DeadLetter Letter(Guid id) => new()
    {
        Id = id,
        ClientName = "invoices",
        Method = "POST",
        Uri = new("https://api.example.com/invoices"),
        FailureClass = FailureClass.Validation,
        StopReason = StopReason.NotRetryable,
        StatusCode = 422,
        ErrorTitle = "vatId is not valid",
        Attempts = 1,
        FirstFailedAt = Noon,
        LastFailedAt = Noon,
        Status = DeadLetterStatus.RequiresReview,
        DueAt = Noon,
        SuggestedAction = "Fix it",
    };
}
