using System.CommandLine;
using System.Globalization;
using HttpResilience;

namespace InvoiceSender;

/// <summary>The dead-letters commands of the command line; <see cref="LetterActions"/> carries them out.</summary>
internal static class DeadLettersCommand
{
    private static readonly Option<Uri?> Api = SenderCommand.CreateApi(
        "Send the letters to this API. Default: the program's own API, which injects no faults for this command.");
    private static readonly string[] Statuses = ["open", "pending", "sending", "review", "replayed", "resolved", "resubmitted", "all"];

    public static Command Create(HostFactory createHost)
    {
        var command = new Command(
            "dead-letters", "Lists, shows, corrects and replays the invoices that finally failed in a run with --dead-letters.")
        {
            List(createHost), Show(createHost), Replay(createHost), Resolve(createHost), Edit(createHost),
        };
        return command;
    }

    private static Command List(HostFactory createHost)
    {
        var status = new Option<string>("--status")
        {
            Description = "List letters with this status; open means pending, sending or review.",
            DefaultValueFactory = _ => "open"
        };
        status.AcceptOnlyFromAmong(Statuses);
        var limit = Number("--limit", "The maximum number of letters, newest first. 1 to 1000.", 20, 1, 1000);
        var json = Json();
        return Command("list", "Lists letters, newest first.", [status, limit, json], createHost, (actions, parsed, cancellationToken) =>
            actions.ListAsync(ToStatuses(parsed.GetValue(status)!), (int)parsed.GetValue(limit), parsed.GetValue(json), cancellationToken));
    }

    private static Command Show(HostFactory createHost)
    {
        var (id, json) = (Id(), Json());
        return Command("show", "Shows a letter with its body and its history.", [id, json], createHost,
            (actions, parsed, cancellationToken) =>
                actions.ShowAsync(parsed.GetValue(id)!, parsed.GetValue(json), cancellationToken));
    }

    private static Command Replay(HostFactory createHost)
    {
        var id = Id();
        id.Arity = ArgumentArity.ZeroOrOne;
        var all = new Option<bool>("--all")
        {
            Description = "Send all pending letters, due or not, oldest first. "
            + "Letters for review are excluded, because unchanged they would fail again."
        };
        var rate = Number("--rate", "With --all: the maximum number per second. 0.001 to 1000.", 20, 0.001, 1000);
        var command = Command("replay", "Sends a letter again, unchanged and with its own key.", [id, all, rate, Api], createHost,
            (actions, parsed, cancellationToken) =>
                actions.ReplayAsync(parsed.GetValue(id), parsed.GetValue(rate), cancellationToken));
        command.Validators.Add(result =>
        {
            if (result.GetValue(id) is null != result.GetValue(all)) result.AddError("Give the letter to replay: an ID, or --all.");
        });
        return command;
    }

    private static Command Resolve(HostFactory createHost)
    {
        var id = Id();
        var action =
            new Option<string>("--action") { Description = "The action taken, in a word or two.", HelpName = "TEXT", Required = true };
        var notes = new Option<string?>("--notes") { Description = "Free text.", HelpName = "TEXT" };
        var who = new Option<string>("--who")
        {
            Description =
            "The person who resolved it. Default: the current user.",
            HelpName = "NAME",
            DefaultValueFactory = _ => Environment.UserName
        };
        return Command("resolve", "Marks a letter as resolved in another way; it is not sent again.", [id, action, notes, who], createHost,
            (actions, parsed, cancellationToken) => actions.ResolveAsync(
                parsed.GetValue(id)!, parsed.GetValue(action)!, parsed.GetValue(notes), parsed.GetValue(who)!, cancellationToken));
    }

    private static Command Edit(HostFactory createHost)
    {
        var id = Id();
        var set =
            new Option<string[]>("--set") { Description = "Sets a field of the JSON body; may be repeated.", HelpName = "FIELD=VALUE" };
        var body = new Option<string?>("--body") { Description = "The file with the new body as JSON.", HelpName = "FILE" };
        var command = Command("edit",
            "Corrects the body of a letter, in $EDITOR by default, and sends the corrected letter with a new key.", [id, set, body, Api],
            createHost,
            (actions, parsed, cancellationToken) =>
                actions.EditAsync(parsed.GetValue(id)!, parsed.GetValue(set) ?? [], parsed.GetValue(body), cancellationToken));
        command.Validators.Add(result =>
        {
            if (result.GetValue(body) is not null && result.GetValue(set) is { Length: > 0 })
                result.AddError("--set and --body cannot be combined.");
        });
        return command;
    }

    private static Command Command(
        string name, string description, Symbol[] symbols, HostFactory createHost,
        Func<LetterActions, ParseResult, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) command.Add(argument);
            else command.Add((Option)symbol);
        }

        command.SetAction((parsed, cancellationToken) => SenderCommand.GuardAsync(
            () => run(new(SenderCommand.LetterOptions(parsed, parsed.GetValue(Api)), createHost), parsed, cancellationToken),
            cancellationToken));
        return command;
    }

    private static Argument<string?> Id() => new("id") { Description = "The id of the letter, or a unique prefix of it.", HelpName = "ID" };

    private static Option<bool> Json() => new("--json") { Description = "Print JSON." };

    private static Option<double> Number(string name, string description, double fallback, double min, double max) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => fallback,
        CustomParser = result =>
        {
            var text = result.Tokens.Single().Value;
            if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                && number >= min && number <= max) return number;

            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} \"{text}\" is not a number from {min} to {max}."));
            return fallback;
        },
    };

    // Null: any status.
    private static DeadLetterStatus?[] ToStatuses(string name) => name switch
    {
        "open" => [DeadLetterStatus.Pending, DeadLetterStatus.InProgress, DeadLetterStatus.RequiresReview],
        "pending" => [DeadLetterStatus.Pending],
        "sending" => [DeadLetterStatus.InProgress],
        "review" => [DeadLetterStatus.RequiresReview],
        "replayed" => [DeadLetterStatus.Replayed],
        "resolved" => [DeadLetterStatus.Resolved],
        "resubmitted" => [DeadLetterStatus.Resubmitted],
        _ => [null],
    };
}
