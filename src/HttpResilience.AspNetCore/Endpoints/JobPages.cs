using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>Changes of many letters: what is asked before, how far they are, and their end.</summary>
internal static class JobPages
{
    private const int MaxUnasked = 1000, MaxShown = 50;

    internal static async Task<IReadOnlyList<JobRow>> RunningAsync(PageCall call, string? fingerprint, CancellationToken cancellationToken)
    {
        var jobs = Jobs(call);
        List<JobRow> rows = [];
        foreach (var job in await jobs.ListAsync(LetterJobState.Running, MaxShown, cancellationToken).ConfigureAwait(false))
        {
            if (fingerprint is null || job.Request.Query.Fingerprint == fingerprint)
                rows.Add(new(job, await jobs.ProgressAsync(job.Id, cancellationToken).ConfigureAwait(false)));
        }

        return rows;
    }

    internal static async Task<PageAnswer> JobAsync(PageCall call)
    {
        var job = await Jobs(call).FindAsync(IdOf(call), call.Reading).ConfigureAwait(false) ?? throw NoJob();
        var progress = await Jobs(call).ProgressAsync(job.Id, call.Reading).ConfigureAwait(false);
        var letters = progress.Refused == 0 ? [] : await call.Api.Review.ListAsync(
            new() { JobId = job.Id, OmitBodies = true, Limit = MaxShown * 4 }, call.Reading).ConfigureAwait(false);
        var refused = letters.Where(l => l.Job is { Accepted: false }).Take(MaxShown);
        bool nobody = job.State is LetterJobState.Running && !OverviewPages.AnySends(
            await call.Context.RequestServices.GetRequiredService<IInstanceStore>()
                .ListAsync(call.Now - OverviewPages.SeenLately, call.Reading).ConfigureAwait(false), call.Now);
        return new PageAnswer.Page(
            typeof(Pages.JobPage), new JobPageModel(new(job, progress), LetterPages.RowsOf(call, refused), nobody), JobTexts.TitleOf(job),
            "letters")
        { IsLive = true };
    }

    internal static Task<PageAnswer> AskSendAsync(PageCall call) => AskAsync(call, LetterJobAction.Replay, null);

    internal static Task<PageAnswer> AskResolveAsync(PageCall call) => AskAsync(call, LetterJobAction.Resolve, null);

    internal static Task<PageAnswer> SendAsync(PageCall call) => StartAsync(call, LetterJobAction.Replay);

    internal static Task<PageAnswer> ResolveAsync(PageCall call) => StartAsync(call, LetterJobAction.Resolve);

    internal static async Task<PageAnswer> UndoAsync(PageCall call)
    {
        try
        {
            var job = await Jobs(call).ReopenAsync(IdOf(call), call.By, null, call.Aborted).ConfigureAwait(false);
            return new PageAnswer.SeeOther($"jobs/{job.Id}?did={PageMessages.Started}");
        }
        catch (KeyNotFoundException)
        {
            throw NoJob();
        }
        catch (InvalidOperationException e) when (e is not ObjectDisposedException)
        {
            throw ApiProblemException.Of(StatusCodes.Status409Conflict, "It cannot be taken back", e.Message);
        }
    }

    internal static async Task<PageAnswer> StopAsync(PageCall call)
    {
        try
        {
            await Jobs(call).StopAsync(IdOf(call), call.By, call.Aborted).ConfigureAwait(false);
        }
        catch (KeyNotFoundException)
        {
            throw NoJob();
        }

        return new PageAnswer.SeeOther($"jobs/{IdOf(call)}?did={PageMessages.Stopped}");
    }

    // What is asked is counted anew each time; the form carries what was shown.
    private static async Task<PageAnswer> AskAsync(PageCall call, LetterJobAction action, string? error)
    {
        if (!call.MayOperate)
            throw ApiProblemException.Of(StatusCodes.Status403Forbidden, "You may not change anything.");
        string fingerprint = call.Route("fingerprint");
        var choice = Choice.Of(call, action);
        var query = new DeadLetterQuery { Fingerprint = fingerprint };
        var group = await GroupAsync(call, query).ConfigureAwait(false);
        long count = choice.Many is { } many ? Math.Min(many, group.Count) : group.Count;
        bool sends = action is LetterJobAction.Replay;
        var length = TimeSpan.FromSeconds(Math.Max(1, count / choice.Rate));
        List<(string, string)> facts = sends
            ?
            [
                ("What goes out", $"{PageTimes.Count(count, "request")} as they are, each under its own key, to {group.Newest.Authority}"),
                ("How fast", $"{PageTimes.Invariant($"{choice.Rate:0.#}")} a second, about {PageTimes.Length(length)}"),
                ("Done twice?", choice.Uncertain ? "What may have been processed and has no key is sent, too: it may be done twice."
                    : "What may have been processed and has no key is left out, and stays where it is."),
                ("Stops by itself", choice.Stops ? "when more than half of the last 20 are refused" : "never"),
                ("If you change your mind", "Stop leaves those that have not gone out as they were"),
            ]
            :
            [
                ("What happens", $"{PageTimes.Count(count, "letter")} are not sent again, and are deleted after a time"),
                ("If you change your mind", "all of them can be reopened by one click, until they are deleted"),
            ];
        var model = new AskModel(
            sends ? $"Send {PageTimes.Number(count)} of {PageTimes.Count(group.Count, "letter")} again?"
                : $"Mark {PageTimes.Count(count, "letter")} as dealt with?",
            $"groups/{fingerprint}/{(sends ? "send" : "resolve")}",
            sends ? $"Send {PageTimes.Number(count)} again" : $"Mark {PageTimes.Number(count)} as dealt with", $"groups/{fingerprint}")
        {
            Sub = $"{group.Newest.ClientName} · {group.Newest.Method} {group.Newest.Route}",
            Facts = facts,
            Recounts = true,
            Fields =
            [
                ("counted", PageTimes.Invariant($"{group.Count}")), ("once", $"{Guid.CreateVersion7(call.Now)}"),
                ("many", choice.Many is { } some ? PageTimes.Invariant($"{some}") : "all"),
                ("rate", PageTimes.Invariant($"{choice.Rate}")), ("stops", choice.Stops ? "yes" : "no"),
                ("uncertain", choice.Uncertain ? "yes" : "no"),
            ],
            TypedNumber = count > MaxUnasked ? count : null,
            NotesLabel = sends ? null : "Notes",
            Error = error,
        };
        return new PageAnswer.Page(typeof(Pages.AskPage), model, model.Heading, "letters")
        {
            Status = error is null ? StatusCodes.Status200OK : StatusCodes.Status409Conflict,
        };
    }

    private static async Task<PageAnswer> StartAsync(PageCall call, LetterJobAction action)
    {
        string fingerprint = call.Route("fingerprint");
        if (!Guid.TryParseExact(call.Field("once"), "D", out var once) || once.Version != 7
            || !long.TryParse(call.Field("counted"), NumberStyles.None, CultureInfo.InvariantCulture, out long counted))
            return await AskAsync(call, action, null).ConfigureAwait(false);
        var choice = Choice.Of(call, action);
        // The second post of a double click shows the job of the first.
        var first = await Jobs(call).FindAsync(once, call.Aborted).ConfigureAwait(false);
        if (first is not null && (first.Request.By != call.By || first.Request.Query.Fingerprint != fingerprint))
            return await AskAsync(call, action, null).ConfigureAwait(false);
        if (first is null)
        {
            var query = new DeadLetterQuery { Fingerprint = fingerprint };
            var group = await GroupAsync(call, query).ConfigureAwait(false);
            if (Math.Abs(group.Count - counted) > counted / 10)
            {
                return await AskAsync(
                    call, action,
                    $"There were {PageTimes.Number(counted)} letters, now there are {PageTimes.Number(group.Count)}. Nothing was done.")
                    .ConfigureAwait(false);
            }

            long count = choice.Many is { } many ? Math.Min(many, counted) : counted;
            string typed = call.Field("typed").Replace(",", "", StringComparison.Ordinal).Trim();
            if (count > MaxUnasked && typed != PageTimes.Invariant($"{count}"))
            {
                return await AskAsync(call, action, "The number that you have typed is not that of the letters. Nothing was done.")
                    .ConfigureAwait(false);
            }
        }

        string notes = call.Field("notes").Trim();
        var job = await Jobs(call).StartAsync(
            new()
            {
                Action = action,
                Query = new() { Fingerprint = fingerprint },
                By = call.By,
                MaxLetters = choice.Many,
                PerSecond = choice.Rate,
                StopRatio = choice.Stops ? 0.5 : null,
                IncludesUncertain = choice.Uncertain,
                Notes = notes.Length == 0 ? null : notes[..Math.Min(notes.Length, 1000)],
            }, once, call.Aborted).ConfigureAwait(false);
        return new PageAnswer.SeeOther($"jobs/{job.Id}?did={(job.Id == once ? PageMessages.Started : PageMessages.Already)}");
    }

    private static async Task<DeadLetterGroup> GroupAsync(PageCall call, DeadLetterQuery query)
    {
        var groups = await call.Api.Review.GroupsAsync(query, 1, call.Reading).ConfigureAwait(false);
        return groups.SingleOrDefault() ?? throw ApiProblemException.NotFound("No letter of this group is open");
    }

    private static LetterJobs Jobs(PageCall call)
    {
        // Says how to turn it on when the application keeps no letters.
        _ = call.Api.Review;
        return call.Context.RequestServices.GetRequiredService<LetterJobs>();
    }

    private static Guid IdOf(PageCall call) => Guid.TryParseExact(call.Route("id"), "D", out var id) ? id : throw NoJob();

    private static ApiProblemException NoJob() => ApiProblemException.NotFound("There is no such job", "Jobs are deleted after 400 days.");

    /// <summary>What was chosen on the page of the group; what is not valid is as if it had not been chosen.</summary>
    private sealed record Choice(int? Many, double Rate, bool Stops, bool Uncertain)
    {
        internal static Choice Of(PageCall call, LetterJobAction action)
        {
            string Value(string name) => call.Form.ContainsKey(name) ? call.Field(name) : call.Query(name);
            int? many = Value("many") == "all" ? null
                : int.TryParse(Value("many"), NumberStyles.None, CultureInfo.InvariantCulture, out int some) && some > 0 ? some
                : action is LetterJobAction.Resolve ? null : 1;
            double rate = double.TryParse(Value("rate"), NumberStyles.Float, CultureInfo.InvariantCulture, out double given)
                ? Math.Clamp(double.IsNaN(given) ? 5 : given, 0.1, 100) : 5;
            return new(many, rate, Value("stops") == "yes", Value("uncertain") == "yes");
        }
    }
}
