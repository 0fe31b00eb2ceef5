using System.Text.Json;
using HttpResilience;
using Spectre.Console;

namespace InvoiceSender;

/// <summary>Carries out the dead-letters commands; each method returns the exit code.</summary>
internal sealed class LetterActions(LetterOptions options, HostFactory createHost)
{
    private const int NotAccepted = 1;
    private const int PageSize = 500;

    private readonly IAnsiConsole _console = Terminal.Open(Console.Out);

    public async Task<int> ListAsync(IReadOnlyList<DeadLetterStatus?> statuses, int limit, bool json, CancellationToken cancellationToken)
    {
        await using var store = LetterStore.Open(options, createHost);
        List<DeadLetter> letters = [];
        foreach (var status in statuses)
            letters.AddRange(await store.Review.ListAsync(new() { Status = status, Limit = limit }, cancellationToken));
        letters = [.. letters.OrderByDescending(letter => letter.Id).Take(limit)];
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize([.. letters.Select(LetterView.Of)], ReportJson.Default.IReadOnlyListLetterView));
            return 0;
        }

        if (letters.Count > 0) LetterTable.Write(_console, letters);
        var counts = await store.Review.CountAsync(cancellationToken);
        var (pending, review, sending) = (
            counts[DeadLetterStatus.Pending], counts[DeadLetterStatus.RequiresReview], counts[DeadLetterStatus.InProgress]);
        Console.WriteLine($"{letters.Count} shown. In {options.Store}: {pending} pending, {review} for review, "
            + $"{(sending > 0 ? $"{sending} being sent, " : "")}{counts.ByStatus.Values.Sum() - pending - review - sending} closed.");
        if (review > 0) Console.WriteLine($"To correct a letter: {Self.Command("dead-letters edit ID --set field=value", options.Store)}");
        if (pending > 0) Console.WriteLine($"To send the pending letters: {Self.Command("dead-letters replay --all", options.Store)}");
        return 0;
    }

    public async Task<int> ShowAsync(string id, bool json, CancellationToken cancellationToken)
    {
        await using var store = LetterStore.Open(options, createHost);
        var letter = await LetterId.FindAsync(store.Review, id, cancellationToken);
        if (json) Console.WriteLine(JsonSerializer.Serialize(LetterView.Whole(letter), ReportJson.Default.LetterView));
        else LetterDetails.Write(_console, letter);
        return 0;
    }

    public async Task<int> ResolveAsync(string id, string action, string? notes, string who, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(action) || string.IsNullOrWhiteSpace(who))
            throw new CommandException("--action and --who must not be empty.");

        await using var store = LetterStore.Open(options, createHost);
        var letter = await LetterId.FindAsync(store.Review, id, cancellationToken);
        var resolved = await ChangeAsync(() => store.Review.ResolveAsync(letter.Id, action, notes, who, cancellationToken));
        Console.WriteLine($"{resolved.Id} row {resolved.Row} resolved by {who}: {action}");
        return 0;
    }

    /// <param name="id">Null: all pending letters.</param>
    public async Task<int> ReplayAsync(string? id, double perSecond, CancellationToken cancellationToken)
    {
        await using var store = await LetterStore.OpenToSendAsync(options, createHost, cancellationToken);
        if (id is not null)
        {
            var letter = await LetterId.FindAsync(store.Review, id, cancellationToken);
            return await SendAsync(store, letter, cancellationToken) is DeadLetterStatus.Replayed
                ? WriteLedger(store, 0)
                : WriteLedger(store, NotAccepted);
        }

        var pending = await PendingAsync(store.Review, cancellationToken);
        var accepted = 0;
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds(1 / perSecond));
        foreach (var letter in pending)
        {
            try
            {
                if (await SendAsync(store, letter, cancellationToken) is DeadLetterStatus.Replayed) accepted++;
            }
            catch (CommandException exception)
            {
                // The letter is being sent or was closed in the meantime; the others are not affected.
                Console.Error.WriteLine(exception.Message);
            }

            if (letter != pending[^1]) await pace.WaitForNextTickAsync(cancellationToken);
        }

        Console.WriteLine($"{accepted} of {LetterText.Count(pending.Count, "letter")} accepted.");
        return WriteLedger(store, accepted == pending.Count ? 0 : NotAccepted);
    }

    public async Task<int> EditAsync(string id, IReadOnlyList<string> fields, string? file, CancellationToken cancellationToken)
    {
        await using var store = await LetterStore.OpenToSendAsync(options, createHost, cancellationToken);
        var letter = await LetterId.FindAsync(store.Review, id, cancellationToken);
        if (!letter.IsOpen) throw new CommandException($"Dead letter {letter.Id} is already settled: {letter.Status}.");
        if (await BodyEdit.CorrectAsync(letter, fields, file, cancellationToken) is not { } body)
            throw new CommandException("The body is unchanged; nothing was sent.");

        var corrected = await ChangeAsync(
            () => store.Review.ResubmitAsync(letter.Id, old => old with { Body = body }, Environment.UserName, cancellationToken));
        Console.WriteLine($"{letter.Id} resubmitted as:");
        return await SendAsync(store, corrected, cancellationToken) is DeadLetterStatus.Replayed
            ? WriteLedger(store, 0)
            : WriteLedger(store, NotAccepted);
    }

    private static async Task<DeadLetterStatus> SendAsync(LetterStore store, DeadLetter letter, CancellationToken cancellationToken)
    {
        var sent = await ChangeAsync(() => store.Review.SendAsync(letter.Id, Environment.UserName, cancellationToken));
        Console.WriteLine($"{sent.Id} row {sent.Row}: {sent.Outcome(DateTimeOffset.UtcNow)}");
        return sent.Status;
    }

    /// <summary>Prints how many invoices the sample's own API has stored.</summary>
    private static int WriteLedger(LetterStore store, int exitCode)
    {
        if (store.Stored is { } stored) Console.WriteLine(LedgerText.Of(stored));
        return exitCode;
    }

    private static async Task<IReadOnlyList<DeadLetter>> PendingAsync(IDeadLetterReview review, CancellationToken cancellationToken)
    {
        List<DeadLetter> all = [];
        var query = new DeadLetterQuery { Status = DeadLetterStatus.Pending, Limit = PageSize };
        while (await review.ListAsync(query, cancellationToken) is { Count: > 0 } page)
        {
            all.AddRange(page);
            query = query with { Before = page[^1].Id };
        }

        all.Reverse();
        return all;
    }

    /// <summary>Turns the refusal to change a letter that is being sent or closed into a user error.</summary>
    private static async Task<DeadLetter> ChangeAsync(Func<Task<DeadLetter>> change)
    {
        try
        {
            return await change();
        }
        catch (InvalidOperationException exception)
        {
            throw new CommandException(exception.Message, exception);
        }
    }
}
