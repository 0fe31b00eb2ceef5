using System.Collections;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace HttpResilience;

/// <summary>
/// The log event of a call: properties for structured sinks, and a readable line. Properties without a value are omitted.
/// </summary>
internal sealed class CallLogEntry : IReadOnlyList<KeyValuePair<string, object?>>
{
    private const string Template = "{OriginalFormat}";

    // A successful call has nine to twelve, a failed one up to seven more.
    private const int Succeeded = 12;
    private const int Failed = 19;

    // Statuses and attempts need not be boxed for each call.
    private static readonly object[] Numbers = [.. Enumerable.Range(0, 600).Select(number => (object)number)];

    private readonly List<KeyValuePair<string, object?>> _properties;

    internal CallLogEntry(HttpCall call, HttpRequestMessage request, HttpResponseMessage? response, Exception? exception)
    {
        var redaction = call.Policy.Logging.Redaction;
        var asked = RequestSnapshot.AskedFor(request);
        var tags = call.Tags;
        _properties = new((call.FailureClass is FailureClass.None ? Succeeded : Failed) + tags.Count);
        Add("ClientName", call.ClientName);
        Add("Method", asked.Method.Method);
        Add("Authority", HttpAuthority.NameOf(asked));
        Add("Path", redaction.PathOf(asked, call));
        Add("Endpoint", call.Endpoint is { } endpoint ? new HttpAuthority(endpoint).ToString() : null);
        Add("Route", call.Route);
        Add("StatusCode", response is null ? null : Boxed((int)response.StatusCode));
        Add("FailureClass", call.FailureClass is FailureClass.None ? null : call.FailureClass.ToString());
        Add("StopReason", call.StopReason.ToString());
        Add("Attempts", Boxed(call.AttemptCount));
        Add("ElapsedMs", Math.Round(call.Elapsed.TotalMilliseconds, 1));
        Add("IdempotencyKey", call.IdempotencyKey);
        Add("Tenant", call.Tenant is null ? null : Redaction.Clean(call.Tenant));
        Add("DeadLetterId", call.DeadLetterId);
        Add("TraceId", (Activity.Current ?? CallSpan.Of(call, request))?.TraceId.ToString());
        Add("ErrorType", exception?.GetType().Name);
        Add("CircuitWaitMs", call.CircuitWait > TimeSpan.Zero ? Math.Round(call.CircuitWait.TotalMilliseconds, 1) : null);
        Add("IsStale", call.IsStale ? true : null);
        Add(exception is null && !call.IsStale ? "ErrorBody" : "ErrorMessage", call.Error);
        if (tags.Count > 0)
            AddTags(tags);
        Add(Template, "{ClientName} {Method} {Authority}{Path}: {StopReason} in {ElapsedMs} ms, attempts: {Attempts}");
    }

    public int Count => _properties.Count;

    public KeyValuePair<string, object?> this[int index] => _properties[index];

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _properties.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString()
    {
        // Composed in place: most lines fit into it.
        Span<char> buffer = stackalloc char[512];
        var line = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, buffer);
        Append(ref line, Value("ClientName"), " ");
        Append(ref line, Value("Method"), " ");
        Append(ref line, Value("Authority"));
        Append(ref line, Value("Path"), ": ");
        Append(ref line, Value("StatusCode") ?? Value("ErrorType") ?? "nothing sent", " in ");
        object? attempts = Value("Attempts");
        line.AppendFormatted(Value("ElapsedMs"));
        line.AppendLiteral(" ms, ");
        line.AppendFormatted(attempts);
        line.AppendLiteral(attempts is 1 ? " attempt" : " attempts");
        if (Value("CircuitWaitMs") is { } waited)
        {
            line.AppendLiteral(" (");
            line.AppendFormatted(waited);
            line.AppendLiteral(" ms of it waiting for the circuit)");
        }

        if (Value("Endpoint") is { } endpoint)
        {
            line.AppendLiteral(", via ");
            Append(ref line, endpoint);
        }

        if (Value("Route") is { } route)
        {
            line.AppendLiteral(", route ");
            Append(ref line, route);
        }

        if (Value("FailureClass") is { } failure)
        {
            line.AppendLiteral(", ");
            Append(ref line, failure, ", ");
            Append(ref line, Value("StopReason"));
        }
        else if (Value("StopReason") is nameof(StopReason.Replayed))
            line.AppendLiteral($", {nameof(StopReason.Replayed)}");
        if (Value("IsStale") is not null)
            line.AppendLiteral(", answered with a stale response");
        if ((Value("ErrorBody") ?? Value("ErrorMessage")) is { } detail)
        {
            line.AppendLiteral(": ");
            Append(ref line, detail);
        }

        return line.ToStringAndClear();
    }

    private static void Append(ref DefaultInterpolatedStringHandler line, object? value, string after = "")
    {
        line.AppendLiteral(value?.ToString() ?? "");
        line.AppendLiteral(after);
    }

    private void AddTags(IReadOnlyDictionary<string, object?> tags)
    {
        foreach (var (tag, value) in tags)
        {
            string name = Redaction.Clean(tag);
            Add(IsTaken(name) ? $"tag.{name}" : name, value is string text ? Redaction.Clean(text) : value);
        }
    }

    // Some sinks do not support two properties with the same name.
    private bool IsTaken(string tag) => tag == Template || Value(tag) is not null;

    private object? Value(string name)
    {
        foreach (var property in CollectionsMarshal.AsSpan(_properties))
        {
            if (property.Key == name)
                return property.Value;
        }

        return null;
    }

    private static object Boxed(int number) => number < Numbers.Length ? Numbers[number] : number;

    private void Add(string name, object? value)
    {
        if (value is not null)
            _properties.Add(new(name, value));
    }
}
