using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Spectre.Console;

namespace InvoiceSender;

/// <summary>The command line: its options, its exit codes, and one clear sentence for each thing that a user can get wrong.</summary>
internal static class SenderCommand
{
    private const int UsageError = 2;
    private const int Interrupted = 130;

    private static readonly Option<string?> Csv = new("--csv")
    {
        Description = "The invoices to send. Without it: the invoices.csv beside the program.",
        HelpName = "FILE",
    };

    private static readonly Option<Uri?> Api = new("--api")
    {
        Description = "Send to this API (POST URL/invoices), once and with the resilient client only. "
            + "Without it the program starts a flaky API of its own and sends twice.",
        HelpName = "URL",
        CustomParser = result =>
        {
            var text = result.Tokens.Single().Value;
            if (Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https") return uri;

            result.AddError($"--api \"{text}\" is not an absolute http or https URL.");
            return null;
        },
    };

    private static readonly Option<int?> Seed = new("--seed")
    {
        Description = "Which faults the flaky API plays, and where. Random unless given; printed.",
        HelpName = "N",
        CustomParser = result =>
        {
            var text = result.Tokens.Single().Value;
            if (int.TryParse(text, CultureInfo.InvariantCulture, out var seed)) return seed;

            result.AddError($"--seed \"{text}\" is not a whole number.");
            return null;
        },
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print the table as JSON." };
    private static readonly Option<bool> Verbose = new("--verbose") { Description = "Show the log on standard error." };

    public static async Task<int> InvokeAsync(string[] args, HostFactory createHost)
    {
        var command = new RootCommand("""
            Sends the invoices of a CSV file to an API that has a bad day: with a bare HttpClient, then with AddResilientHttpClient.

            Exit code 0: the resilient client lost no invoice and duplicated none, counted at the server.
            1: it did. 2: the command line, the file or the settings are wrong. 130: interrupted.
            """) { Csv, Api, Seed, Json, Verbose };
        command.Validators.Add(result =>
        {
            if (result.GetResult(Api) is { Implicit: false } && result.GetResult(Seed) is { Implicit: false })
                result.AddError("--seed is for the program's own flaky API and means nothing together with --api.");
        });
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, createHost, cancellationToken));

        var parsed = command.Parse(args);
        if (parsed.Errors is [var error, ..]) return Fail(error.Message);

        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(10) });
    }

    private static async Task<int> RunAsync(ParseResult parsed, HostFactory createHost, CancellationToken cancellationToken)
    {
        var options = new SenderOptions(
            parsed.GetValue(Csv) ?? Path.Combine(AppContext.BaseDirectory, "invoices.csv"),
            parsed.GetValue(Api),
            parsed.GetValue(Seed) ?? Random.Shared.Next(1, 100_000),
            parsed.GetValue(Json),
            parsed.GetValue(Verbose));
        try
        {
            var report = await SendAsync(options, createHost, cancellationToken);
            return report.Interrupted ? Interrupted : report.IsClean ? 0 : 1;
        }
        catch (InvoiceFileException exception)
        {
            return Fail(exception.Message);
        }
        catch (OptionsValidationException exception)
        {
            return Fail(string.Join(Environment.NewLine, exception.Failures));
        }
        catch (InvalidDataException exception)
        {
            // appsettings.json is not JSON; the inner message says where.
            return Fail($"{exception.Message} {exception.InnerException?.Message}");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Interrupted;
        }
    }

    private static async Task<ComparisonReport> SendAsync(SenderOptions options, HostFactory createHost, CancellationToken cancellationToken)
    {
        // Progress goes to standard error, so that standard output is the result alone.
        var progress = Terminal.Open(Console.Error);
        var invoices = await InvoiceFile.ReadAsync(options.Csv, cancellationToken);
        progress.WriteLine(options.Api is { } api
            ? $"Sending {invoices.Count} invoices to {api}"
            : $"Sending {invoices.Count} invoices twice to a flaky API on the loopback, seed {options.Seed}");

        var report = await new Comparison(options, createHost, new ProgressDisplay(progress, plain: options.Verbose)).RunAsync(invoices, cancellationToken);
        if (options.Json) Console.WriteLine(JsonSerializer.Serialize(report, ReportJson.Default.ComparisonReport));
        else ComparisonTable.Write(Terminal.Open(Console.Out), report);
        return report;
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine(message);
        return UsageError;
    }
}
