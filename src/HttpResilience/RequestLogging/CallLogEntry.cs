using System.Collections;
using System.Diagnostics;
using System.Globalization;

namespace HttpResilience;

/// <summary>
/// The log event of a call: properties for structured sinks, and a readable line. Properties without a value are omitted.
/// </summary>
internal sealed class CallLogEntry : IReadOnlyList<KeyValuePair<string, object?>>
{
    private const string Template = "{OriginalFormat}";

    private readonly List<KeyValuePair<string, object?>> _properties = new(16);

    internal CallLogEntry(HttpCall call, HttpRequestMessage request, HttpResponseMessage? response, Exception? exception)
    {
        var redaction = call.Policy.Logging.Redaction;
        var asked = RequestSnapshot.AskedFor(request);
        Add("ClientName", call.ClientName);
        Add("Method", asked.Method.Method);
        Add("Authority", HttpAuthority.NameOf(asked));
        Add("Path", redaction.PathOf(asked, call));
        Add("StatusCode", (int?)response?.StatusCode);
        Add("FailureClass", call.FailureClass is FailureClass.None ? null : call.FailureClass.ToString());
        Add("StopReason", call.StopReason.ToString());
        Add("Attempts", call.AttemptCount);
        Add("ElapsedMs", Math.Round(call.Elapsed.TotalMilliseconds, 1));
        Add("IdempotencyKey", call.IdempotencyKey);
        Add("Tenant", call.Tenant is null ? null : Redaction.Clean(call.Tenant));
        Add("DeadLetterId", call.DeadLetterId);
        Add("TraceId", (Activity.Current ?? CallSpan.Of(call, request))?.TraceId.ToString());
        Add("ErrorType", exception?.GetType().Name);
        Add("CircuitWaitMs", call.CircuitWait > TimeSpan.Zero ? Math.Round(call.CircuitWait.TotalMilliseconds, 1) : null);
        Add("IsStale", call.IsStale ? true : null);
        Add(exception is null && !call.IsStale ? "ErrorBody" : "ErrorMessage", call.Error);
        foreach (var (tag, value) in call.Tags)
        {
            string name = Redaction.Clean(tag);
            Add(IsTaken(name) ? $"tag.{name}" : name, value is string text ? Redaction.Clean(text) : value);
        }

        Add(Template, "{ClientName} {Method} {Authority}{Path}: {StopReason} in {ElapsedMs} ms, attempts: {Attempts}");
    }

    public int Count => _properties.Count;

    public KeyValuePair<string, object?> this[int index] => _properties[index];

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _properties.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString()
    {
        object? attempts = Value("Attempts");
        string outcome = (Value("StatusCode") ?? Value("ErrorType") ?? "nothing sent").ToString()!;
        string target = $"{Value("ClientName")} {Value("Method")} {Value("Authority")}{Value("Path")}";
        string line = string.Create(CultureInfo.InvariantCulture,
            $"{target}: {outcome} in {Value("ElapsedMs")} ms, {attempts} attempt{(attempts is 1 ? "" : "s")}");
        if (Value("CircuitWaitMs") is { } waited)
            line += string.Create(CultureInfo.InvariantCulture, $" ({waited} ms of it waiting for the circuit)");
        if (Value("FailureClass") is { } failure)
            line += $", {failure}, {Value("StopReason")}";
        else if (Value("StopReason") is nameof(StopReason.Replayed))
            line += $", {nameof(StopReason.Replayed)}";
        if (Value("IsStale") is not null)
            line += ", answered with a stale response";
        return (Value("ErrorBody") ?? Value("ErrorMessage")) is { } detail ? $"{line}: {detail}" : line;
    }

    // Some sinks do not support two properties with the same name.
    private bool IsTaken(string tag) => tag == Template || _properties.Exists(p => p.Key == tag);

    private object? Value(string name) => _properties.Find(p => p.Key == name).Value;

    private void Add(string name, object? value)
    {
        if (value is not null)
            _properties.Add(new(name, value));
    }
}
