using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using HttpResilience.Simulation;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tool;

/// <summary><c>simulate</c>: a configured client calls a host that fails in each of the known ways, in virtual time.</summary>
internal static class SimulateCommand
{
    private const string AnyHost = "https://host.invalid/";

    private static readonly Argument<string[]> Files = SettingsArguments.CreateFiles();
    private static readonly Option<string?> Client = new("--client")
    {
        Description = "The client. Default: the only one that has a section.",
        HelpName = "NAME",
    };

    private static readonly Option<string> Request = new("--request")
    {
        Description = "What it calls: a method, or a method and a path below the base address, such as 'POST /orders'.",
        HelpName = "REQUEST",
        DefaultValueFactory = _ => "GET",
    };

    private static readonly Option<int> Instances = Count("--instances", "How many processes call the host.", 10, 1, 1000);
    private static readonly Option<int> Rate = Count("--rate", "Calls per second of each of them, on average.", 10, 1, 1000);
    private static readonly Option<int> Seed = Count("--seed", "The same seed gives the same figures.", 1, 0, 1_000_000);
    private static readonly Option<string?> Only = new("--only")
    {
        Description = "Only the shapes that have this in their name, such as '503'.",
        HelpName = "TEXT",
    };

    private static readonly Option<string?> Environment = SettingsArguments.CreateEnvironment();
    private static readonly Option<bool> Json = new("--json") { Description = "Print JSON." };

    internal static Command Create() => new ToolCommand(
        "simulate", "Runs a configured client against the ways in which a host fails, in virtual time: failed calls, waits and load.")
    {
        Arguments = { Files },
        Options = { Client, Request, Instances, Rate, Seed, Only, Environment, Json },
        Examples =
        [
            new("simulate appsettings.json --client orders", "every shape, with reads"),
            new("simulate appsettings.json --client orders --request 'POST /orders' --only 503", "outages only, with a write"),
        ],
        Run = RunAsync,
    };

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var files = SettingsFiles.Read(parsed.GetValue(Files)!);
        string name = NameOf(files, parsed.GetValue(Client));
        var (method, path) = RequestOf(parsed.GetValue(Request)!);
        Shape[] shapes = [Shape.None, .. ShapesWith(parsed.GetValue(Only))];
        string environment = SettingsArguments.EnvironmentOf(parsed.GetValue(Environment));
        var (address, hasEndpoints) = await CheckAsync(files, name, environment, cancellationToken).ConfigureAwait(false);
        var (settings, notes) = SimulatedSettings.Of(files.Configuration, name);
        if (hasEndpoints)
            notes = [.. notes, "Endpoints: all of them fail at once"];
        // The base address of the client is that of the settings.
        var uri = address is not null && address.IsAbsoluteUri && path.Length > 0 ? new Uri(path.TrimStart('/'), UriKind.Relative)
            : new Uri(address ?? new Uri(AnyHost), path.TrimStart('/'));
        var load = new ShapeLoad(parsed.GetValue(Instances), parsed.GetValue(Rate));
        int seed = parsed.GetValue(Seed);

        var results = Simulations.Run([.. shapes.Select(shape => (Func<ShapeResult>)(() =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new ShapeRun(shape, load, seed).Run(name, new ConfiguredClient(name, settings, method, uri).Create);
        }))], (done, all) => ShowProgress(done, all));
        cancellationToken.ThrowIfCancellationRequested();
        var report = new SimulationReport(
            name, $"{method} {address ?? new Uri(AnyHost)}{path.TrimStart('/')}", load.Clients, load.CallRate, seed, notes,
            [.. shapes.Zip(results, ResultOf)]);
        if (parsed.GetValue(Json))
            Console.WriteLine(JsonSerializer.Serialize(report, ToolJson.Default.SimulationReport));
        else
            SimulationText.Write(report);
        return ExitCode.Done;
    }

    // What would stop the host stops the simulation, with the same sentences.
    private static async Task<(Uri? Address, bool HasEndpoints)> CheckAsync(
        SettingsFiles files, string client, string environment, CancellationToken cancellationToken)
    {
        try
        {
            var host = await ExplainedHost.StartAsync(
                files, SettingsArguments.Registered(files, [client]), environment, cancellationToken).ConfigureAwait(false);
            await using (host.ConfigureAwait(false))
            {
                var options = host.OptionsOf(client);
                return (options.BaseAddress ?? (options.HasEndpoints ? new(options.Endpoints.Uris[0]) : null), options.HasEndpoints);
            }
        }
        catch (OptionsValidationException e)
        {
            throw new ToolException(string.Join('\n', e.Failures.Select(files.WithPlace)), innerException: e);
        }
    }

    private static string NameOf(SettingsFiles files, string? asked) =>
        asked is not null ? SettingsArguments.ClientsOf(files, [asked])[0]
        : SettingsArguments.ClientsOf(files, []) is [var only] ? only
        : throw new ToolException(
            $"{files.Names} has several clients; name one with --client: {string.Join(", ", files.Clients)}.", ExitCode.Usage);

    private static (HttpMethod Method, string Path) RequestOf(string text) =>
        text.Split(' ', StringSplitOptions.RemoveEmptyEntries) switch
        {
            [var method] when HttpToken.IsValid(method) => (new(method), ""),
            [var method, var path] when HttpToken.IsValid(method) && Uri.IsWellFormedUriString(path, UriKind.Relative) =>
                (new(method), path),
            _ => throw new ToolException(
                $"--request '{text}' is not a method, or a method and a path such as 'POST /orders'.", ExitCode.Usage),
        };

    // The lengths that are one line of the benchmark's table are left out: they differ by the moment of the last probe only.
    private static Shape[] ShapesWith(string? text)
    {
        Shape[] all = [.. Shape.All.Where(s => s.Group == s.Name)];
        Shape[] some = [.. all.Where(s => s.Name.Contains(text ?? "", StringComparison.OrdinalIgnoreCase))];
        return some.Length > 0 ? some : throw new ToolException(
            $"--only '{text}' is in none of the shapes: {string.Join("; ", all.Select(s => s.Name))}.", ExitCode.Usage);
    }

    private static SimulatedShape ResultOf(Shape shape, ShapeResult result) => new(
        shape.Name, (shape.To - shape.From).TotalSeconds, (int)result.In.Calls, (int)result.In.Failed, (int)result.After.Failed,
        Math.Round(result.In.P50, 3), Math.Round(result.In.P95, 3), Math.Round(result.In.Max, 3), Math.Round(result.MeanIn, 2),
        Math.Round(Math.Max(result.WorstIn, result.WorstAfter), 2));

    private static void ShowProgress(int done, int all)
    {
        if (!Console.IsErrorRedirected)
            Console.Error.Write(string.Create(CultureInfo.InvariantCulture, $"\r{done} of {all} shapes{(done == all ? "\n" : "")}"));
    }

    private static Option<int> Count(string name, string description, int fallback, int min, int max) => new(name)
    {
        Description = string.Create(CultureInfo.InvariantCulture, $"{description} {min} to {max}."),
        HelpName = "N",
        DefaultValueFactory = _ => fallback,
        CustomParser = result =>
        {
            string text = result.Tokens.Single().Value;
            if (int.TryParse(text, CultureInfo.InvariantCulture, out int number) && number >= min && number <= max)
                return number;
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} '{text}' is not a whole number from {min} to {max}."));
            return fallback;
        },
    };
}
