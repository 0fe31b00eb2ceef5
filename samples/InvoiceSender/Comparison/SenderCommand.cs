using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using HttpResilience;
using HttpResilience.Storage;
using Microsoft.Extensions.Options;
using Spectre.Console;

namespace InvoiceSender;

/// <summary>The command line: its options, its exit codes and one sentence for each user error.</summary>
internal static class SenderCommand
{
    public const string DefaultStore = "invoices.deadletters.db";

    private const int UsageError = 2;
    private const int Interrupted = 130;

    private static readonly Option<string?> Csv = new("--csv")
    {
        Description = "The invoices to send. Default: invoices.csv beside the program.",
        HelpName = "FILE",
    };

    private static readonly Option<Uri?> Api = CreateApi(
        "Send once to this API (POST URL/invoices), with the resilient client. Default: a flaky API that the program starts itself; "
            + "without --dead-letters each client that is compared gets one.");

    private static readonly Option<Uri?> Alerts = CreateUrl(
        "--alerts",
        "Post alerts to this webhook in Slack's format. Default: the program receives and prints them itself; "
            + "with --api or --dead-letters they go to the log only.",
        text => text,
        // The URL may contain a secret.
        show: false);

    private static readonly Option<int?> Seed = new("--seed")
    {
        Description = "The seed that chooses the faults of the flaky API. Default: random; the output shows it.",
        HelpName = "N",
        CustomParser = result =>
        {
            var text = result.Tokens.Single().Value;
            if (int.TryParse(text, CultureInfo.InvariantCulture, out var seed)) return seed;

            result.AddError($"--seed \"{text}\" is not a whole number.");
            return null;
        },
    };

    private static readonly Option<string> Keys = new Option<string>("--keys")
    {
        Description = "Compare the clients while the application sets an Idempotency-Key for each invoice (application), while it sets "
            + "none (none), or both.",
        HelpName = "application|none|both",
        DefaultValueFactory = _ => "both",
    }.AcceptOnlyFromAmong("application", "none", "both");

    private static readonly Option<bool> Quick = new("--quick")
    {
        Description = "Compare the clients within 20 seconds: the first 60 invoices, an outage and stalls of 2 s.",
    };

    private static readonly Option<bool> DeadLetters = new("--dead-letters")
    {
        Description = "Send once, with the resilient client, and store invoices that finally fail as dead letters. "
            + "The tool http-resilience shows, corrects and replays them; the command send-letters sends what is due.",
    };

    private static readonly Option<string> Store = new("--store")
    {
        Description = "The SQLite file of the dead letters.",
        HelpName = "FILE",
        DefaultValueFactory = _ => DefaultStore,
        Recursive = true,
    };

    private static readonly Option<bool> Resume = new("--resume")
    {
        Description = "With --dead-letters: resume the interrupted run of the same file. Without it a run starts from the first row; "
            + "invoices that were accepted or rejected are not sent again.",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print the table as JSON." };
    private static readonly Option<bool> Verbose = new("--verbose") { Description = "Show the log on standard error.", Recursive = true };

    public static async Task<int> InvokeAsync(string[] args, HostFactory createHost)
    {
        var command = new RootCommand("""
            Sends the invoices of a CSV file to an unreliable API: with a bare HttpClient, with Microsoft's AddStandardResilienceHandler
            and with AddResilientHttpClient, all with their default settings, and counts at the server what became of them.

            Exit code 0: the resilient client lost no invoice and duplicated none, counted at the server; a dead letter is not lost.
            1: an invoice was lost or duplicated, or a dead letter that was sent was not accepted.
            2: the command line, a file or the settings are invalid. 130: interrupted.
            """) { Csv, Api, Alerts, Seed, Keys, Quick, DeadLetters, Resume, Store, Json, Verbose, SendLetters(createHost) };
        command.Validators.Add(result =>
        {
            if (result.GetResult(Api) is { Implicit: false } && result.GetResult(Seed) is { Implicit: false })
                result.AddError("--seed applies to the program's own flaky API and cannot be combined with --api.");
            if ((result.GetResult(Keys) is { Implicit: false } || result.GetValue(Quick))
                && (result.GetResult(Api) is { Implicit: false } || result.GetValue(DeadLetters)))
                result.AddError("--keys and --quick apply to the comparison and cannot be combined with --api or --dead-letters.");
            if (result.GetValue(Resume) && !result.GetValue(DeadLetters))
                result.AddError("--resume requires --dead-letters: only then is the progress of a run stored.");
            if (result.GetResult(Store) is { Implicit: false } && !result.GetValue(DeadLetters))
                result.AddError("--store is for --dead-letters and the command send-letters.");
        });
        command.SetAction(
            (parsed, cancellationToken) => GuardAsync(() => SendAsync(parsed, createHost, cancellationToken), cancellationToken));

        var parsed = command.Parse(args);
        if (parsed.Errors is [var error, ..]) return Fail(error.Message);

        return await parsed.InvokeAsync(
            new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(10) });
    }

    /// <summary>Turns user errors into one sentence and an exit code.</summary>
    private static async Task<int> GuardAsync(Func<Task<int>> run, CancellationToken cancellationToken)
    {
        try
        {
            return await run();
        }
        catch (Exception exception) when (exception is CommandException or HttpResilienceStorageException or BatchInProgressException)
        {
            return Fail(exception.Message);
        }
        catch (OptionsValidationException exception)
        {
            return Fail(string.Join(Environment.NewLine, exception.Failures));
        }
        catch (InvalidDataException exception)
        {
            // appsettings.json is not valid JSON; the inner message has the position.
            return Fail($"{exception.Message} {exception.InnerException?.Message}");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Interrupted;
        }
    }

    private static Command SendLetters(HostFactory createHost)
    {
        var api = CreateApi("Send the letters to this API. Default: the program's own API, which injects no faults for this command.");
        var command = new Command(
            "send-letters",
            "Sends the dead letters that are due and those of jobs, and ends when none is left. A service sends them by itself.")
        {
            api,
        };
        command.SetAction((parsed, cancellationToken) => GuardAsync(async () =>
        {
            var verbose = parsed.GetValue(Verbose);
            var display = new ProgressDisplay(Terminal.Open(Console.Error), plain: verbose);
            var run = new LetterRun(parsed.GetValue(Store)!, parsed.GetValue(api), verbose, createHost, display);
            var report = await run.RunAsync(cancellationToken);
            LetterRunText.Write(report);
            return report.Interrupted ? Interrupted : report.IsClean ? 0 : 1;
        }, cancellationToken));
        return command;
    }

    private static async Task<int> SendAsync(ParseResult parsed, HostFactory createHost, CancellationToken cancellationToken)
    {
        var options = new SenderOptions(
            parsed.GetValue(Csv) ?? Path.Combine(AppContext.BaseDirectory, "invoices.csv"),
            parsed.GetValue(Api),
            parsed.GetValue(Alerts),
            parsed.GetValue(Seed) ?? Random.Shared.Next(1, 100_000),
            parsed.GetValue(Keys) switch
            {
                "application" => [InvoiceKeys.Application],
                "none" => [InvoiceKeys.None],
                _ => [InvoiceKeys.Application, InvoiceKeys.None],
            },
            parsed.GetValue(Quick) ? ComparisonSize.Quick : ComparisonSize.Full,
            parsed.GetValue(DeadLetters) ? parsed.GetValue(Store) : null,
            parsed.GetValue(Resume),
            parsed.GetValue(Json),
            parsed.GetValue(Verbose));

        // Progress goes to standard error, so that standard output has only the result.
        var progress = Terminal.Open(Console.Error);
        IReadOnlyList<Invoice> invoices =
            [.. (await InvoiceFile.ReadAsync(options.Csv, cancellationToken)).Take(options.Size.MaxInvoices)];
        progress.WriteLine($"Sending {invoices.Count} invoices {(options.Compares ? "with each client " : "")}to "
            + (options.Api is { } api ? api.ToString() : $"a flaky API on the loopback, seed {options.Seed}"));

        var display = new ProgressDisplay(progress, plain: options.Verbose);
        var (interrupted, clean) = options.DeadLetters is { } store
            ? await SendWithDeadLettersAsync(options, store, createHost, display, invoices, cancellationToken)
            : await CompareAsync(options, createHost, display, invoices, cancellationToken);
        return interrupted ? Interrupted : clean ? 0 : 1;
    }

    private static async Task<(bool Interrupted, bool Clean)> CompareAsync(
        SenderOptions options, HostFactory createHost, ProgressDisplay display, IReadOnlyList<Invoice> invoices,
        CancellationToken cancellationToken)
    {
        var report = await new Comparison(options, createHost, display).RunAsync(invoices, cancellationToken);
        if (options.Json) Console.WriteLine(JsonSerializer.Serialize(report, ReportJson.Default.ComparisonReport));
        else ComparisonTable.Write(Terminal.Open(Console.Out), report);
        AlertText.Write(report.AlertReport, options.Json);
        return (report.Interrupted, report.IsClean);
    }

    private static async Task<(bool Interrupted, bool Clean)> SendWithDeadLettersAsync(
        SenderOptions options, string store, HostFactory createHost, ProgressDisplay display, IReadOnlyList<Invoice> invoices,
        CancellationToken cancellationToken)
    {
        var report = await new DeadLetterRun(options, store, createHost, display).RunAsync(invoices, cancellationToken);
        if (options.Json) Console.WriteLine(JsonSerializer.Serialize(report, ReportJson.Default.DeadLetterRunReport));
        else DeadLetterRunText.Write(Terminal.Open(Console.Out), report);
        AlertText.Write(report.AlertReport, options.Json);
        return (report.Interrupted, report.IsClean);
    }

    // Relative URIs are appended only to a base address that ends with a slash.
    private static Option<Uri?> CreateApi(string description) =>
        CreateUrl("--api", description, text => text.TrimEnd('/') + "/", show: true);

    private static Option<Uri?> CreateUrl(string name, string description, Func<string, string> complete, bool show) => new(name)
    {
        Description = description,
        HelpName = "URL",
        CustomParser = result =>
        {
            var text = result.Tokens.Single().Value;
            if (Uri.TryCreate(complete(text), UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https") return uri;

            result.AddError($"{name}{(show ? $" \"{text}\"" : "")} is not an absolute http or https URL.");
            return null;
        },
    };

    private static int Fail(string message)
    {
        Console.Error.WriteLine(message);
        return UsageError;
    }
}
