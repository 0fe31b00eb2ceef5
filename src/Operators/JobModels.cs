using System.Text.Json.Serialization;

namespace HttpResilience.Operators;

/// <summary>A change of many letters.</summary>
internal sealed record JobModel
{
    public required Guid Id { get; init; }

    /// <summary>replay, resolve or reopen.</summary>
    public required string Action { get; init; }

    /// <summary>running, completed or stopped.</summary>
    public required string State { get; init; }

    public required string By { get; init; }

    public string? Notes { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public string? StopReason { get; init; }

    /// <summary>The job whose letters it reopens; null for the other actions.</summary>
    public Guid? Job { get; init; }

    /// <summary>The group, where the job has one.</summary>
    public string? Group { get; init; }

    public string? Client { get; init; }

    /// <summary>How many letters were counted.</summary>
    public required long Total { get; init; }

    /// <summary>How many letters have been made due, or settled.</summary>
    public required int Taken { get; init; }

    public required int LeftOut { get; init; }

    public required double PerSecond { get; init; }

    public int? MaxLetters { get; init; }

    public double? StopRatio { get; init; }

    public required bool IncludesUncertain { get; init; }

    /// <summary>How far it is; null in lists.</summary>
    public JobProgressModel? Progress { get; init; }

    internal static JobModel Of(LetterJob job, LetterJobProgress? progress = null)
    {
        ArgumentNullException.ThrowIfNull(job);
        return new()
        {
            Id = job.Id,
            Action = LetterWords.Of(job.Request.Action),
            State = LetterWords.Of(job.State),
            By = job.Request.By,
            Notes = job.Request.Notes,
            CreatedAt = job.CreatedAt,
            EndedAt = job.EndedAt,
            StopReason = job.StopReason,
            Job = job.Request.Action is LetterJobAction.Reopen ? job.Request.Query.JobId : null,
            Group = job.Request.Query.Fingerprint,
            Client = job.Request.Query.ClientName,
            Total = job.Total,
            Taken = job.Taken,
            LeftOut = job.LeftOut,
            PerSecond = job.Request.PerSecond,
            MaxLetters = job.Request.MaxLetters,
            StopRatio = job.Request.StopRatio,
            IncludesUncertain = job.Request.IncludesUncertain,
            Progress = progress is null ? null : new(progress.Waiting, progress.Accepted, progress.Refused),
        };
    }
}

/// <summary>How far a job is: letters that are due or being sent, that were accepted, and that were not.</summary>
internal sealed record JobProgressModel(long Waiting, long Accepted, long Refused);

/// <summary>Jobs, newest first.</summary>
internal sealed record JobList(IReadOnlyList<JobModel> Jobs);

/// <summary>Sends many letters again, marks them as dealt with, or takes that back.</summary>
/// <param name="Action">replay, resolve or reopen.</param>
/// <param name="Filter">The words of <see cref="LetterFilter"/>; at most one status. None for reopen.</param>
/// <param name="Id">A UUID of version 7 for this job: the same once more starts no second one. Null for a new one.</param>
/// <param name="Count">The number of letters that was shown: with more than a tenth more or less nothing is started. Null for any.</param>
/// <param name="MaxLetters">How many letters at most; null for all.</param>
/// <param name="PerSecond">How many in a second, 0.1 to 100; null for 5.</param>
/// <param name="StopRatio">It stops when more than this part of the last 20 was not accepted; null for 0.5.</param>
/// <param name="IncludesUncertain">Send also what may be done twice. Default false.</param>
/// <param name="Notes">Free text; null when there is none.</param>
/// <param name="Resolution">For resolve, what was done, in a word or two; null for "Resolve".</param>
/// <param name="Job">For reopen, the job that has marked the letters as dealt with.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record JobRequest(
    string? Action = null, IReadOnlyDictionary<string, string>? Filter = null, Guid? Id = null, long? Count = null, int? MaxLetters = null,
    double? PerSecond = null, double? StopRatio = null, bool IncludesUncertain = false, string? Notes = null,
    string? Resolution = null, Guid? Job = null);

/// <summary>Stops a job. It has no fields.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record StopRequest;

/// <summary>Takes back what was done to one letter.</summary>
/// <param name="ExpectedVersion">The version that the person has seen; null when the header field <c>If-Match</c> has it.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record UndoRequest(long? ExpectedVersion = null);
