using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using HttpResilience;

namespace InvoiceSender;

/// <summary>Describes a letter in words.</summary>
internal static class LetterText
{
    extension(DeadLetter letter)
    {
        public bool IsOpen => letter.Status is DeadLetterStatus.Pending or DeadLetterStatus.InProgress or DeadLetterStatus.RequiresReview;

        public string Row => letter.Tags.GetValueOrDefault("rowNumber", "");

        /// <summary>The invoice named in the body, because a key made of the content is not readable.</summary>
        public string Subject =>
            letter.Json() is JsonObject invoice ? $"{invoice["company"]}:{invoice["invoiceNumber"]}" : letter.IdempotencyKey ?? "";

        public string Failure =>
            $"{(letter.StatusCode is { } status ? status.ToString(CultureInfo.InvariantCulture) : letter.ErrorType)} {letter.FailureClass}";

        public string Reason =>
            letter.ErrorDetail is { } detail ? $"{letter.ErrorTitle}. {detail}" : letter.ErrorTitle ?? "no reason given";

        public string Counts => $"{Count(letter.Attempts, "attempt")}, {Count(letter.Replays, "replay")}";

        public string State(DateTimeOffset now) => letter.Status switch
        {
            DeadLetterStatus.Pending when letter.DueAt > now => $"pending, due in {Span(letter.DueAt - now)}",
            DeadLetterStatus.Pending => $"pending, due for {Span(now - letter.DueAt)}",
            DeadLetterStatus.InProgress => "being sent",
            DeadLetterStatus.RequiresReview => $"review, for {Span(now - letter.LastFailedAt)}",
            DeadLetterStatus.Resolved => $"resolved: {letter.Resolution?.Action}",
            var done => done.ToString().ToLowerInvariant(),
        };

        /// <summary>The result of the last replay.</summary>
        public string Outcome(DateTimeOffset now) => letter.Status is DeadLetterStatus.Replayed
            ? $"accepted ({letter.StatusCode})"
            : $"{letter.State(now)}: {letter.Failure}, {letter.Reason}";

        /// <summary>The body when it is JSON, else null.</summary>
        public JsonNode? Json()
        {
            try
            {
                return letter.Body is { Length: > 0 } body ? JsonNode.Parse(body.Span) : null;
            }
            catch (JsonException)
            {
                return null;
            }
        }

        public string BodyText => letter.BodyIsMissing ? "not stored"
            : letter.Json() is { } json ? Pretty(json)
            : letter.Body is { } body ? Encoding.UTF8.GetString(body.Span)
            : "none";
    }

    public static string Count(int number, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {noun}{(number == 1 ? "" : "s")}");

    public static string Pretty(JsonNode json)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            json.WriteTo(writer);
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private static string Span(TimeSpan span) => span switch
    {
        { TotalSeconds: < 120 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, span.TotalSeconds):F0} s"),
        { TotalMinutes: < 120 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:F0} min"),
        { TotalHours: < 48 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:F0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:F0} days"),
    };
}
