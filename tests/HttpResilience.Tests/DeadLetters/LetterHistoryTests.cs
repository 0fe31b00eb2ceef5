namespace HttpResilience.Tests.DeadLetters;

/// <summary>What a letter becomes, and what is written down, when something happens to it.</summary>
public sealed class LetterHistoryTests
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 2, 12, 0, 0, TimeSpan.Zero);

    private static readonly DeadLetter Letter = new()
    {
        Id = Guid.CreateVersion7(),
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
        SuggestedAction = "Fix the data and resubmit",
    };

    private static readonly LetterChange ByAnna = new("anna", Noon.AddMinutes(1));

    [Fact]
    public void A_replay_that_is_cancelled_leaves_the_letter_as_it_was()
    {
        var due = ByAnna.Replayed(Letter, Noon.AddMinutes(2));
        var cancelled = new LetterChange("ben", Noon.AddMinutes(1.5)).Cancelled(due, null).ShouldHaveSingleItem();

        (due.Status, due.DueAt, due.SuggestedAction, due.Resolution!.By)
            .ShouldBe((DeadLetterStatus.Pending, Noon.AddMinutes(2), null, "anna"));
        (cancelled with { History = null }).ShouldBe(Letter);
        Kinds(cancelled).ShouldBe(["Failed", "ReplayRequested by anna", "Cancelled by ben"]);
    }

    [Fact]
    public void A_correction_that_is_cancelled_opens_the_old_letter_again_and_settles_the_new_one()
    {
        var corrected = CorrectedLetter.Of(Letter, Letter, Noon.AddMinutes(1));
        var (replaced, replacement) = ByAnna.Resubmitted(Letter, corrected, Noon.AddMinutes(2));
        var both = new LetterChange("ben", Noon.AddMinutes(1.5)).Cancelled(replacement, replaced);

        (replaced.Status, replaced.ReplacedBy, replacement.Status, replacement.DueAt)
            .ShouldBe((DeadLetterStatus.Resubmitted, replacement.Id, DeadLetterStatus.Pending, Noon.AddMinutes(2)));
        Kinds(replacement).ShouldBe(["Corrected by anna"]);
        (both[0].Id, both[0].Status, both[1].Id, both[1].Status, both[1].ReplacedBy, both[1].SuggestedAction).ShouldBe(
            (replacement.Id, DeadLetterStatus.Resolved, Letter.Id, DeadLetterStatus.RequiresReview, null, Letter.SuggestedAction));
        Kinds(both[1]).ShouldBe(["Failed", "Resubmitted by anna", "Cancelled by ben"]);
        Should.Throw<InvalidOperationException>(() => ByAnna.Reopened(both[0])).Message.ShouldContain(Letter.Id.ToString());
    }

    public static TheoryData<string> NotCancelled => ["waits by itself", "in progress", "sent since", "resolved", "correction was sent"];

    [Theory, MemberData(nameof(NotCancelled))]
    public void Nothing_is_cancelled_that_nobody_asked_for_or_that_has_been_sent(string what)
    {
        var due = ByAnna.Replayed(Letter, Noon);
        var (replaced, replacement) = ByAnna.Resubmitted(Letter, CorrectedLetter.Of(Letter, Letter, Noon), Noon);
        var letter = what switch
        {
            "waits by itself" => Letter with { Status = DeadLetterStatus.Pending },
            "in progress" => due with { Status = DeadLetterStatus.InProgress },
            "sent since" => Refused(due),
            "resolved" => ByAnna.Resolved(Letter, "By hand", null),
            _ => Refused(replacement),
        };

        Should.Throw<InvalidOperationException>(() => ByAnna.Cancelled(letter, replaced));
    }

    [Fact]
    public void Of_two_requests_one_over_the_other_a_cancellation_restores_what_was_before_the_first()
    {
        var twice = ByAnna.Replayed(ByAnna.Replayed(Letter, Noon), Noon.AddMinutes(2));
        var resolved = ByAnna.Resolved(ByAnna.Replayed(Letter, Noon), "By hand", null);

        (ByAnna.Cancelled(twice, null)[0] with { History = null }).ShouldBe(Letter);
        ByAnna.Reopened(resolved).Status.ShouldBe(DeadLetterStatus.RequiresReview);
    }

    public static TheoryData<string> SentMeanwhile => ["given up", "taken over", "in backoff by an older version", "correction given up"];

    [Theory, MemberData(nameof(SentMeanwhile))]
    public void What_may_have_been_sent_is_not_cancelled_although_its_last_event_is_the_request(string how)
    {
        var due = ByAnna.Replayed(Letter, Noon);
        var (replaced, replacement) = ByAnna.Resubmitted(Letter, CorrectedLetter.Of(Letter, Letter, Noon), Noon);
        var letter = how switch
        {
            "given up" => ReplayResult.Cancelled(due, Noon),
            "taken over" => due with { Resolution = null, Replays = 1, MayHaveBeenProcessed = true },
            "in backoff by an older version" => due with { Resolution = null, LastFailedAt = Noon.AddMinutes(5), Replays = 1 },
            _ => ReplayResult.Cancelled(replacement, Noon),
        };

        Should.Throw<InvalidOperationException>(() => ByAnna.Cancelled(letter, replaced));
    }

    [Fact]
    public void A_lease_that_ended_without_a_result_is_no_failed_replay() =>
        Kinds(Letter with { Replays = 1, MayHaveBeenProcessed = true }).ShouldBe(["Failed"]);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_a_job_sends_again_is_sent_only_if_it_cannot_be_done_twice(bool onlyIfSafe)
    {
        var due = new LetterChange("anna", Noon).Replayed(Letter with { MayHaveBeenProcessed = true }, Noon, onlyIfSafe);
        var fate = new LetterFate(MayHaveBeenProcessed: true, MayBeRepeated: false, NeedsKey: false, BodyIsMissing: false);

        (DeadLetterDecision.BeforeReplay(due, fate, mayGoThere: true, keyExpired: false) is null).ShouldBe(!onlyIfSafe);
    }

    [Theory]
    [InlineData(DeadLetterStatus.RequiresReview)]
    [InlineData(DeadLetterStatus.Pending)]
    public void A_letter_that_is_reopened_is_what_it_was(DeadLetterStatus status)
    {
        var letter = Letter with { Status = status, DueAt = Noon.AddHours(1) };

        var reopened = new LetterChange("ben", Noon.AddDays(3)).Reopened(ByAnna.Resolved(letter, "By hand", "ticket 7"));

        (reopened.Status, reopened.DueAt, reopened.SuggestedAction, reopened.Resolution)
            .ShouldBe((status, Noon.AddHours(1), Letter.SuggestedAction, null));
        Kinds(reopened).ShouldBe(["Failed", "Resolved by anna: ticket 7", "Reopened by ben"]);
    }

    [Fact]
    public void A_letter_that_an_older_version_resolved_requires_review_when_it_is_reopened()
    {
        var resolved = Letter with { Status = DeadLetterStatus.Resolved, Resolution = new("By hand", null, "anna", Noon) };

        ByAnna.Reopened(resolved).Status.ShouldBe(DeadLetterStatus.RequiresReview);
        Should.Throw<InvalidOperationException>(() => ByAnna.Reopened(Letter)).Message.ShouldContain("RequiresReview");
        Should.Throw<InvalidOperationException>(() => ByAnna.Reopened(Letter with { Status = DeadLetterStatus.Resubmitted }));
    }

    [Fact]
    public void A_replay_that_fails_and_one_that_is_accepted_are_events()
    {
        var refused = Refused(ByAnna.Replayed(Letter, Noon));
        var accepted = LetterHistory.AfterReplay(
            refused, refused with { Status = DeadLetterStatus.Replayed, Attempts = 4, StatusCode = 201, Replays = 2 }, "host:2",
            Noon.AddHours(2));

        accepted.History[^2].ShouldBe(new(LetterEventKind.ReplayFailed, Noon.AddHours(1))
        {
            Instance = "host:1",
            StatusCode = 409,
            Title = "It exists",
            Attempts = 2,
        });
        accepted.History[^1].ShouldBe(new(LetterEventKind.Replayed, Noon.AddHours(2))
        {
            Instance = "host:2",
            StatusCode = 201,
            Attempts = 1,
        });
    }

    [Fact]
    public void A_letter_that_is_not_sent_has_the_reason_and_one_that_is_returned_has_no_event()
    {
        var claimed = Letter with { Status = DeadLetterStatus.InProgress };

        var kept = LetterHistory.AfterReplay(
            claimed, claimed with { Status = DeadLetterStatus.RequiresReview, SuggestedAction = "Its host is not allowed" },
            "host:1", Noon);
        var returned = LetterHistory.AfterReplay(claimed, claimed with { Status = DeadLetterStatus.Pending, DueAt = Noon }, "host:1", Noon);

        kept.History[^1].ShouldBe(new(LetterEventKind.ReplayFailed, Noon) { Instance = "host:1", Title = "Its host is not allowed" });
        Kinds(returned).ShouldBe(["Failed"]);
    }

    [Fact]
    public void The_first_letter_of_a_job_to_be_sent_has_its_result_and_later_ones_keep_it()
    {
        var job = Guid.CreateVersion7();
        var refused = Refused(new LetterChange("anna", Noon, job).Replayed(Letter, Noon));
        var accepted = LetterHistory.AfterReplay(refused, refused with { Status = DeadLetterStatus.Replayed }, "host:1", Noon.AddHours(2));

        refused.Job.ShouldBe(new(job, false, Noon.AddHours(1)));
        accepted.Job.ShouldBe(refused.Job);
        refused.History.Select(e => e.JobId).ShouldBe([null, job, job]);
        accepted.History[^1].JobId.ShouldBeNull();
        // Another deed takes a letter that waits out of the job.
        ByAnna.Replayed(new LetterChange("anna", Noon, job).Replayed(Letter, Noon), Noon).Job.ShouldBeNull();
        ByAnna.Replayed(refused, Noon).Job.ShouldBe(refused.Job);
    }

    [Fact]
    public void Of_many_events_the_first_10_and_the_last_90_are_kept_and_only_the_last_can_be_undone()
    {
        var letter = Letter;
        for (int i = 0; i < 250; i++)
            letter = letter.Add(letter, new(LetterEventKind.ReplayRequested, Noon.AddMinutes(i)) { Was = LetterHistory.StateOf(letter) });

        letter.History.Count.ShouldBe(100);
        letter.History.Select(e => e.At).ShouldBe(
            [
                Noon, .. Enumerable.Range(0, 9).Select(i => Noon.AddMinutes(i)),
                .. Enumerable.Range(160, 90).Select(i => Noon.AddMinutes(i)),
            ]);
        letter.History.Count(e => e.Was is not null).ShouldBe(1);
        letter.History[^1].Was.ShouldNotBeNull();
    }

    [Theory]
    [InlineData(0, 199, 199)]
    [InlineData(0, 200, 200)]
    [InlineData(0, 201, 200)]
    [InlineData(198, 300, 199)]
    public void A_long_title_is_cut_and_no_character_is_cut_in_half(int pairAt, int length, int expected)
    {
        string text = new('x', length);
        if (pairAt > 0)
            text = text.Remove(pairAt, 2).Insert(pairAt, "\U0001F600");

        string cut = LetterHistory.Short(text, LetterHistory.MaxTitle)!;

        cut.Length.ShouldBe(expected);
        cut.EnumerateRunes().ShouldNotContain(System.Text.Rune.ReplacementChar);
        cut.EndsWith('…').ShouldBe(length > 200);
    }

    [Fact]
    public void A_letter_of_an_older_version_that_was_replayed_has_its_failure_and_its_last_replay()
    {
        var refused = Letter with { Replays = 3, LastFailedAt = Noon.AddDays(1) };

        Kinds(refused).ShouldBe(["Failed", "ReplayFailed"]);
        (refused.History[0].StatusCode, refused.History[1].StatusCode, refused.History[1].Title)
            .ShouldBe((null, 422, "vatId is not valid"));
        Kinds(Letter with { Replays = 1, Status = DeadLetterStatus.Replayed }).ShouldBe(["Failed", "Replayed"]);
    }

    private static DeadLetter Refused(DeadLetter letter) => LetterHistory.AfterReplay(
        letter with { Status = DeadLetterStatus.InProgress },
        letter with
        {
            Status = DeadLetterStatus.RequiresReview,
            LastFailedAt = Noon.AddHours(1),
            StatusCode = 409,
            ErrorTitle = "It exists",
            Replays = 1,
            Attempts = letter.Attempts + 2,
            Resolution = null,
        }, "host:1", Noon.AddHours(1));

    private static IEnumerable<string> Kinds(DeadLetter letter) => letter.History.Select(
        e => e.Kind + (e.By is null ? "" : $" by {e.By}") + (e.Notes is null ? "" : $": {e.Notes}"));
}
