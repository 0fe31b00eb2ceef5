using System.Text.Json.Serialization;

namespace HttpResilience.Operators;

/// <summary>Asks for one letter to be sent again as it is.</summary>
/// <param name="ExpectedVersion">The version that the person has seen; null when the header field <c>If-Match</c> has it.</param>
/// <param name="DelaySeconds">After how many seconds, 0 to 60: until then it can be cancelled. Default 0.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ReplayRequest(long? ExpectedVersion = null, int? DelaySeconds = null);

/// <summary>Marks one letter as dealt with.</summary>
/// <param name="ExpectedVersion">The version that the person has seen; null when the header field <c>If-Match</c> has it.</param>
/// <param name="Action">What was done, in a word or two; null for "Dealt with".</param>
/// <param name="Notes">Free text; null when there is none.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ResolveRequest(long? ExpectedVersion = null, string? Action = null, string? Notes = null);

/// <summary>Sends a letter with corrected data. What is null stays as it was.</summary>
/// <param name="ExpectedVersion">The version that the person has seen; null when the header field <c>If-Match</c> has it.</param>
/// <param name="Method">The method.</param>
/// <param name="Uri">The absolute address.</param>
/// <param name="Headers">All header fields.</param>
/// <param name="Text">The body as text, in the character set of its content type, or UTF-8.</param>
/// <param name="Body">The body in base64.</param>
/// <param name="NoBody">The letter is to have no body. Default false.</param>
/// <param name="DelaySeconds">After how many seconds, 0 to 60: until then it can be cancelled. Default 0.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ResubmitRequest(
    long? ExpectedVersion = null, string? Method = null, string? Uri = null, IReadOnlyList<HeaderModel>? Headers = null,
    string? Text = null, string? Body = null, bool NoBody = false, int? DelaySeconds = null);

/// <summary>Deletes letters that are settled.</summary>
/// <param name="Filter">The words of <see cref="LetterFilter"/>; null for all.</param>
/// <param name="SettledBefore">Those that were settled before this time, or longer ago than an age such as <c>30d</c>.</param>
/// <param name="Count">The number that was counted.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record PurgeRequest(IReadOnlyDictionary<string, string>? Filter, string? SettledBefore, long? Count);

/// <summary>What a purge would delete.</summary>
/// <param name="Count">How many, up to 10,000.</param>
/// <param name="More">There are more than that.</param>
/// <param name="Oldest">The first failure of the oldest that was counted; null when there is none.</param>
/// <param name="SettledBefore">The time.</param>
internal sealed record PurgePreview(long Count, bool More, DateTimeOffset? Oldest, DateTimeOffset SettledBefore);

/// <summary>What a purge has deleted.</summary>
internal sealed record PurgeResult(long Deleted);
