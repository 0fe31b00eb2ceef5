using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using HttpResilience.Operators;
using Spectre.Console;

namespace HttpResilience.Tool;

/// <summary><c>circuits</c>: which hosts work, and which are held back on all instances.</summary>
internal static class CircuitsCommand
{
    private const int InstancesShown = 5, NoteLength = 200, NameLength = 60, MaxGroups = 1000;

    private static readonly Option<string?> Client = new("--client") { Description = "The client.", HelpName = "NAME" };
    private static readonly Option<string?> Host = new("--host")
    {
        Description = "The host: api.example.com, or scheme, host and port.",
        HelpName = "HOST",
    };

    private static readonly Option<string?> Tenant = new("--tenant")
    {
        Description = "Only this tenant's part of the host.",
        HelpName = "NAME",
    };

    private static readonly Option<string?> Note = new("--note")
    {
        Description = "Why; it is shown to others. At most 1,000 characters.",
        HelpName = "TEXT",
    };

    private static readonly Option<bool> Yes = Question.CreateYes();
    private static readonly Option<bool> Json = LettersCommand.CreateJson();

    internal static Command Create() => new Command("circuits", "Which hosts work, and which are held back on all instances.")
    {
        Verb("list", "Shows the circuits of all instances: what is held back first, then what does not work.",
            [Client, Host, Json, StoreOptions.Application, .. StoreOptions.ToRead],
            new("circuits list", "what does not work, since when, and who holds it back"), ListAsync),
        Verb("hold", "Holds a host back on all instances: nothing is sent to it, calls fail at once, letters wait.",
            [Client, Host, Tenant, Note, Yes, Json, StoreOptions.Application, .. StoreOptions.ToChange],
            new("circuits hold --client orders --host api.example.com --note 'they asked us to'", "within 10 s; it asks first"), HoldAsync),
        Verb("release", "Lets a host through on all instances, also where its circuit has opened by itself.",
            [Client, Host, Tenant, Note, Json, StoreOptions.Application, .. StoreOptions.ToChange],
            new("circuits release --client orders --host api.example.com", "within 10 s"), ReleaseAsync),
    };

    private static ToolCommand Verb(
        string name, string description, IEnumerable<Option> options, Example example,
        Func<ParseResult, LetterSource, CancellationToken, Task<int>> run)
    {
        var command = LettersCommand.CreateVerb(
            name, description, null, options, [example], StoreOptions.InApplication(run));
        if (name != "list")
        {
            command.Validators.Add(result =>
            {
                if (string.IsNullOrWhiteSpace(result.GetValue(Client)) || string.IsNullOrWhiteSpace(result.GetValue(Host)))
                    result.AddError("Which host? Give --client and --host; circuits list shows them.");
            });
        }

        return command;
    }

    private static async Task<int> ListAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        var list = await store.CircuitsAsync(
            parsed.GetValue(Client), parsed.GetValue(Host) is { } host ? AuthorityOf(host) : null, cancellationToken)
            .ConfigureAwait(false);
        if (parsed.GetValue(Json))
            Console.WriteLine(JsonSerializer.Serialize(list, OperatorJson.Default.CircuitList));
        else if (list.Circuits.Count > 0)
            Write(list, store.Time.GetUtcNow());
        else
            Output.Say($"No instance of {store.Shown} has called such a host of late.");
        return list.Circuits.Count > 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task<int> HoldAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        string by = StoreOptions.PersonOf(parsed);
        var request = RequestOf(parsed);
        var list = await store.CircuitsAsync(request.Client, request.Host, cancellationToken).ConfigureAwait(false);
        if (list.Circuits.FirstOrDefault(c => c.Tenant == request.Tenant) is not { Hold: not null })
        {
            // Nobody is asked in vain.
            await store.RequireCircuitsOfAsync(request.Client!, cancellationToken).ConfigureAwait(false);
            var groups = await store.GroupsAsync(
                new() { ClientName = request.Client, Authority = request.Host, Tenant = request.Tenant }, MaxGroups, cancellationToken)
                .ConfigureAwait(false);
            long letters = groups.Groups.Sum(g => (long)g.Waiting);
            string on = list.Instances.Count == 0 ? "no instance is there now"
                : $"on {Names(list.Instances.Select(i => VisibleText.Line(i, NameLength)))}";
            Question.Ask(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Hold back: {NameOf(request.Client!, request.Host!, request.Tenant)}; {on}. Calls fail at once, {letters:N0} ")
                + (letters == 1 ? "letter waits." : "letters wait."),
                request.Client!, parsed.GetValue(Yes));
        }

        return await ChangeAsync(parsed, store, request, isHeld: true, by, cancellationToken).ConfigureAwait(false);
    }

    private static Task<int> ReleaseAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken) =>
        ChangeAsync(parsed, store, RequestOf(parsed), isHeld: false, StoreOptions.PersonOf(parsed), cancellationToken);

    private static async Task<int> ChangeAsync(
        ParseResult parsed, LetterSource store, CircuitRequest request, bool isHeld, string by, CancellationToken cancellationToken)
    {
        var circuit = await store.ChangeCircuitAsync(request, isHeld, by, cancellationToken).ConfigureAwait(false);
        if (parsed.GetValue(Json))
        {
            Console.WriteLine(JsonSerializer.Serialize(circuit, OperatorJson.Default.CircuitModel));
            return ExitCode.Done;
        }

        string name = NameOf(circuit.Client, circuit.Host, circuit.Tenant);
        Output.Write(circuit.Hold is { } hold
            ? $"{name} is held back by {hold.By} since {LetterWhen.InFull(hold.At)}{NoteOf(hold)}. Each instance applies it within 10 s."
            : $"{name} is let through, as {circuit.LetThrough?.By ?? by}. Each instance applies it within 10 s.");
        return ExitCode.Done;
    }

    private static CircuitRequest RequestOf(ParseResult parsed)
    {
        string given = parsed.GetValue(Host)!, authority = AuthorityOf(given);
        // A port of its own is seldom one of https.
        if (!given.Contains("://", StringComparison.Ordinal) && !new Uri(authority).IsDefaultPort)
            Output.Say($"--host {VisibleText.Line(given, NameLength)} has no scheme: {authority} is meant.");
        return new(
            parsed.GetValue(Client), authority, string.IsNullOrEmpty(parsed.GetValue(Tenant)) ? null : parsed.GetValue(Tenant),
            parsed.GetValue(Note));
    }

    private static string AuthorityOf(string host) => LetterFilter.AuthorityOf(host) is { } authority
        && Uri.TryCreate(authority, UriKind.Absolute, out _)
        ? authority : throw new ToolException(
            "--host: it is a host, such as api.example.com (https) or http://api.example.com:8080.", ExitCode.Usage);

    private static void Write(CircuitList list, DateTimeOffset now)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("state").AddColumn("host").AddColumn("instances");
        foreach (var circuit in list.Circuits)
        {
            string held = circuit.Hold is { } hold
                ? $"\nby {VisibleText.Line(hold.By, NameLength)}, {LetterWhen.InList(hold.At, now)}{NoteOf(hold)}" : "";
            string instances = circuit.Instances.Count == 0 ? "none has reported it yet"
                : string.Join('\n', circuit.Instances.Take(InstancesShown).Select(i => InstanceOf(i, now)))
                    + (circuit.Instances.Count > InstancesShown ? $"\nand {circuit.Instances.Count - InstancesShown} more" : "");
            string[] cells =
            [
                circuit.CircuitText, $"{NameOf(circuit.Client, circuit.Host, circuit.Tenant)}{held}", instances,
            ];
            table.AddRow([.. cells.Select(cell => new Text(VisibleText.Of(cell)))]);
        }

        Output.Result.Write(table);
        if (list.More > 0)
            Output.Say(string.Create(CultureInfo.InvariantCulture, $"{list.More:N0} more are not shown; nearly always they work."));
    }

    private static string InstanceOf(InstanceCircuitModel reported, DateTimeOffset now)
    {
        string since = reported.Since is { } left ? $" since {LetterWhen.InList(left, now)}" : "";
        string away = reported.NotSeenForSeconds is { } seconds
            ? string.Create(CultureInfo.InvariantCulture, $", not seen for {TimeSpan.FromSeconds(seconds).TotalMinutes:N0} min") : "";
        return $"{VisibleText.Line(reported.Instance, NameLength)}: {reported.CircuitText}{since}{away}";
    }

    private static string NameOf(string client, string host, string? tenant) =>
        VisibleText.Line($"{client} → {host}{(tenant is null ? "" : $", tenant {tenant}")}", NoteLength);

    private static string NoteOf(HoldModel hold) => hold.Note is null ? "" : $": {VisibleText.Line(hold.Note, NoteLength)}";

    private static string Names(IEnumerable<string> names)
    {
        string[] all = [.. names];
        string others = all.Length > InstancesShown ? $" and {all.Length - InstancesShown} more" : "";
        return string.Join(", ", all.Take(InstancesShown)) + others;
    }
}
