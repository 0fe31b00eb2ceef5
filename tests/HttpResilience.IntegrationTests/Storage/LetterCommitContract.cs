namespace HttpResilience.IntegrationTests.Storage;

/// <summary>
/// The contract of <see cref="IDeadLetterStore.CommitAsync"/>, <see cref="ILetterJobStore"/> and <see cref="IOperatorActivityStore"/>, for
/// every store.
/// </summary>
public abstract class LetterCommitContract : StorageContract
{
    private IHttpResilienceStorage Storage => field ??= Database.Open();

    private IDeadLetterStore Letters => Storage.DeadLetters;

    [Fact]
    public async Task Changes_that_are_made_together_are_all_there()
    {
        var (one, other, added) = (Plain(), Plain(), Plain());
        await Letters.AddAsync(one, Stop);
        await Letters.AddAsync(other, Stop);
        var (job, activity) = (Job(), Activity(Noon));

        bool committed = await Letters.CommitAsync(new()
        {
            Changed = [one with { Status = DeadLetterStatus.Resolved }, other with { Status = DeadLetterStatus.RequiresReview }],
            Added = [added],
            Job = job,
            Activity = activity,
        }, Stop);

        committed.ShouldBeTrue();
        (await StatusOf(one), await StatusOf(other), await StatusOf(added))
            .ShouldBe((DeadLetterStatus.Resolved, DeadLetterStatus.RequiresReview, DeadLetterStatus.Pending));
        (await Letters.FindAsync(one.Id, Stop))!.Version.ShouldBe(one.Version + 1);
        (await Storage.Jobs.FindAsync(job.Id, Stop))!.Version.ShouldBe(1);
        (await Storage.Activity.ListAsync(null, 10, Stop)).ShouldHaveSingleItem().ShouldBe(activity);
    }

    public static TheoryData<string> Conflicts =>
        ["first letter", "last letter", "letter is gone", "new letter is there", "job", "new job"];

    [Theory, MemberData(nameof(Conflicts))]
    public async Task Of_changes_one_of_which_cannot_be_made_none_is_made(string conflict)
    {
        var (one, other, added, job) = (Plain(), Plain(), Plain(), Job());
        await Letters.AddAsync(one, Stop);
        await Letters.AddAsync(other, Stop);
        await Letters.CommitAsync(new() { Job = job }, Stop);
        job = (await Storage.Jobs.FindAsync(job.Id, Stop))!;
        var commit = new LetterCommit
        {
            Changed = [one with { Status = DeadLetterStatus.Resolved }, other with { Status = DeadLetterStatus.Resolved }],
            Added = [added],
            Job = job with { Taken = 7 },
            Activity = Activity(Noon),
        };
        commit = conflict switch
        {
            "first letter" => commit with { Changed = [commit.Changed[0] with { Version = 9 }, commit.Changed[1]] },
            "last letter" => commit with { Changed = [commit.Changed[0], commit.Changed[1] with { Version = 9 }] },
            "letter is gone" => commit with { Changed = [.. commit.Changed, Plain()] },
            "new letter is there" => commit with { Added = [added, other] },
            "job" => commit with { Job = job with { Version = 9 } },
            _ => commit with { Job = job with { Version = 0 } },
        };

        (await Letters.CommitAsync(commit, Stop)).ShouldBeFalse();

        (await StatusOf(one), await StatusOf(other)).ShouldBe((DeadLetterStatus.Pending, DeadLetterStatus.Pending));
        (await Letters.FindAsync(added.Id, Stop)).ShouldBeNull();
        (await Storage.Jobs.FindAsync(job.Id, Stop))!.ShouldBe(job);
        (await Storage.Activity.ListAsync(null, 10, Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_many_commits_of_one_version_one_is_made()
    {
        DeadLetter[] letters = [.. Enumerable.Range(0, 10).Select(_ => Plain())];
        foreach (var letter in letters)
            await Letters.AddAsync(letter, Stop);

        bool[] all = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => Letters.CommitAsync(
            new()
            {
                Changed = [.. (i % 2 == 0 ? letters : letters.Reverse()).Select(l => l with { Status = DeadLetterStatus.Resolved })],
                Activity = Activity(Noon.AddSeconds(i)),
            }, Stop))));

        all.Count(made => made).ShouldBe(1);
        (await Storage.Activity.ListAsync(null, 100, Stop)).ShouldHaveSingleItem();
        (await Letters.ListAsync(new() { Status = DeadLetterStatus.Resolved }, Stop)).ShouldAllBe(l => l.Version == 1);
    }

    [Fact]
    public async Task A_letter_keeps_its_history_and_its_part_in_a_job()
    {
        var job = Guid.CreateVersion7();
        LetterEvent[] history =
        [
            new(LetterEventKind.Failed, Noon) { StatusCode = 503, Title = "Büsy \u202e [red]", Attempts = 4 },
            new(LetterEventKind.ReplayRequested, Noon.AddMinutes(1)) { By = "anna", JobId = job, Notes = "line 1\nline 2" },
            new(LetterEventKind.ReplayFailed, Noon.AddMinutes(2)) { Instance = "host:1", StatusCode = 422, Title = "no", Attempts = 1 },
            new(LetterEventKind.Resubmitted, Noon.AddMinutes(3))
            {
                By = "ben", OtherId = Guid.CreateVersion7(), Was = new(DeadLetterStatus.RequiresReview, Noon, "Fix it"),
            },
        ];
        var letter = Plain();
        await Letters.AddAsync(letter, Stop);

        await Letters.UpdateAsync(letter with { History = history, Job = new(job, false, Noon) }, Stop);

        var stored = (await Letters.FindAsync(letter.Id, Stop))!;
        stored.History.ShouldBe(history);
        stored.Job.ShouldBe(new(job, false, Noon));
        (await Letters.ListAsync(new() { JobId = job, OmitBodies = true }, Stop)).ShouldHaveSingleItem().History.ShouldBe(history);
        (await Letters.ListAsync(new() { JobId = letter.Id }, Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_letter_without_a_history_has_its_failure()
    {
        var letter = Plain() with { StatusCode = 503, ErrorTitle = "Busy", Attempts = 4 };
        await Letters.AddAsync(letter, Stop);

        (await Letters.FindAsync(letter.Id, Stop))!.History.ShouldBe(
            [new(LetterEventKind.Failed, letter.FirstFailedAt) { StatusCode = 503, Title = "Busy", Attempts = 4 }]);
    }

    [Fact]
    public async Task A_job_is_read_as_it_was_written()
    {
        var job = Job() with
        {
            Request = new()
            {
                Action = LetterJobAction.Resolve,
                By = "anna",
                Query = new()
                {
                    ClientName = "billing",
                    Tag = new("a", "b"),
                    Status = DeadLetterStatus.RequiresReview,
                    Since = Noon,
                    Text = "x'y\"z",
                    FailureClass = FailureClass.Conflict,
                    StatusCode = 409,
                },
                MaxLetters = 10,
                PerSecond = 0.5,
                StopRatio = null,
                IncludesUncertain = true,
                Notes = "entered by hand",
            },
            Position = Guid.CreateVersion7(),
            Taken = 3,
            LeftOut = 2,
            EndedAt = Noon,
            State = LetterJobState.Stopped,
            StopReason = "Stopped by ben",
            Total = 12,
        };

        (await Letters.CommitAsync(new() { Job = job }, Stop)).ShouldBeTrue();

        var stored = (await Storage.Jobs.FindAsync(job.Id, Stop))!;
        stored.ShouldBe(job with { Version = 1, Application = stored.Application });
        (await Storage.Jobs.ListAsync(null, 10, Stop)).ShouldHaveSingleItem().ShouldBe(stored);
        (await Storage.Jobs.ListAsync(LetterJobState.Running, 10, Stop)).ShouldBeEmpty();
        (await Storage.Jobs.FindAsync(Guid.CreateVersion7(), Stop)).ShouldBeNull();
        (await Storage.Jobs.PurgeAsync(Noon, Stop)).ShouldBe(0);
        (await Storage.Jobs.PurgeAsync(Noon.AddSeconds(1), Stop)).ShouldBe(1);
    }

    [Fact]
    public async Task Of_two_jobs_with_one_filter_one_runs()
    {
        var first = Job();
        (await Letters.CommitAsync(new() { Job = first }, Stop)).ShouldBeTrue();

        (await Letters.CommitAsync(new() { Job = Job() }, Stop)).ShouldBeFalse();
        var other = Job() with { Request = first.Request with { Query = new() { ClientName = "other" } } };
        (await Letters.CommitAsync(new() { Job = other }, Stop)).ShouldBeTrue();

        var running = (await Storage.Jobs.FindAsync(first.Id, Stop))!;
        (await Letters.CommitAsync(new() { Job = running with { State = LetterJobState.Completed, EndedAt = Noon } }, Stop)).ShouldBeTrue();
        (await Letters.CommitAsync(new() { Job = Job() }, Stop)).ShouldBeTrue();
    }

    [Fact]
    public async Task The_progress_of_a_job_is_that_of_its_letters()
    {
        var job = Guid.CreateVersion7();
        for (int i = 0; i < 40; i++)
        {
            var letter = Plain() with
            {
                Status = i < 4 ? DeadLetterStatus.Pending : i < 6 ? DeadLetterStatus.InProgress : DeadLetterStatus.RequiresReview,
                Job = i < 6 ? new(job) : i == 39 ? new(Guid.CreateVersion7(), true, Noon) : new(job, i % 3 == 0, Noon.AddSeconds(i)),
            };
            await Letters.AddAsync(letter, Stop);
        }

        var progress = await Storage.Jobs.ProgressAsync(job, withTotals: true, Stop);

        (progress.Waiting, progress.Accepted, progress.Refused).ShouldBe((6, 11, 22));
        (await Storage.Jobs.ProgressAsync(job, withTotals: false, Stop)).ShouldSatisfyAllConditions(
            p => (p.Waiting, p.Accepted, p.Refused).ShouldBe((6, 0, 0)), p => p.Recent.ShouldBe(progress.Recent));
        progress.Recent.ShouldBe([.. Enumerable.Range(0, 20).Select(i => (38 - i) % 3 == 0)]);
    }

    [Fact]
    public async Task The_activity_comes_in_pages_and_is_deleted_by_its_age()
    {
        for (int i = 0; i < 5; i++)
            await Letters.CommitAsync(new() { Activity = Activity(Noon.AddDays(i)) }, Stop);

        var page = await Storage.Activity.ListAsync(null, 2, Stop);
        page.Select(a => a.At).ShouldBe([Noon.AddDays(4), Noon.AddDays(3)]);
        (await Storage.Activity.ListAsync(page[^1].Id, 10, Stop)).Select(a => a.At).ShouldBe([Noon.AddDays(2), Noon.AddDays(1), Noon]);
        (await Storage.Activity.PurgeAsync(Noon.AddDays(2), Stop)).ShouldBe(2);
        (await Storage.Activity.ListAsync(null, 10, Stop)).Count.ShouldBe(3);
    }

    private async Task<DeadLetterStatus> StatusOf(DeadLetter letter) => (await Letters.FindAsync(letter.Id, Stop))!.Status;

    private static DeadLetter Plain() => IntegrationTests.Storage.Letters.Plain();

    private static LetterJob Job() => new()
    {
        Id = Guid.CreateVersion7(),
        Request = new() { Action = LetterJobAction.Replay, Query = new() { ClientName = "billing" }, By = "anna" },
        UpTo = Guid.CreateVersion7(),
        CreatedAt = Noon,
    };

    private static OperatorActivity Activity(DateTimeOffset at) => new()
    {
        Id = Guid.CreateVersion7(at),
        At = at,
        By = "anna",
        Action = "Replay",
        LetterId = Guid.CreateVersion7(),
        ClientName = "billing",
        Notes = "why not",
        Letters = 3,
    };
}
