using System.CommandLine;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tool;

/// <summary><c>explain</c>: the chain of each client of a configuration in words, or why a host would not start with it.</summary>
internal static class ExplainCommand
{
    private static readonly Argument<string[]> Files = SettingsArguments.CreateFiles();
    private static readonly Option<string[]> Clients = new("--client")
    {
        Description = "Only this client; may be repeated. One without a section has the settings of HttpResilience:Defaults.",
        HelpName = "NAME",
    };

    private static readonly Option<bool> All = new("--all") { Description = "Also the settings that are written nowhere." };
    private static readonly Option<string?> Environment = SettingsArguments.CreateEnvironment();
    private static readonly Option<bool> Json = new("--json") { Description = "Print JSON." };

    internal static Command Create() => new ToolCommand(
        "explain", "Prints the chain of each client of a configuration in order, with the settings in force, or what is wrong with it.")
    {
        Arguments = { Files },
        Options = { Clients, All, Environment, Json },
        Examples =
        [
            new("explain appsettings.json", "every client that has a section"),
            new("explain appsettings.json appsettings.Production.json --client orders",
                "one client; a later file overrides an earlier one"),
            new("explain appsettings.json --json", "for programs; exit code 1 when a host would not start with it"),
        ],
        Run = RunAsync,
    };

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var files = SettingsFiles.Read(parsed.GetValue(Files)!);
        var names = SettingsArguments.ClientsOf(files, parsed.GetValue(Clients) ?? []);
        bool json = parsed.GetValue(Json);
        try
        {
            var host = await ExplainedHost.StartAsync(
                files, SettingsArguments.Registered(files, names), SettingsArguments.EnvironmentOf(parsed.GetValue(Environment)),
                cancellationToken).ConfigureAwait(false);
            await using (host.ConfigureAwait(false))
            {
                Write(new(
                    [.. names.Select(name => ClientExplanation.Of(host, files, name, parsed.GetValue(All)))], host.Notes, []), json);
            }

            return ExitCode.Done;
        }
        catch (OptionsValidationException e)
        {
            string[] problems = [.. e.Failures.Select(files.WithPlace)];
            if (json)
                Write(new([], [], problems), json);
            else
                ToolFailures.Fail(string.Join('\n', problems), ExitCode.Failed);
            return ExitCode.Failed;
        }
    }

    private static void Write(Explanation explanation, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(explanation, ToolJson.Default.Explanation));
            return;
        }

        foreach (var client in explanation.Clients)
            ExplainText.Write(client);
        foreach (string note in explanation.Notes)
            Output.Say($"Note: {note}");
        Output.Say("Settings that code or the environment makes are not in the files and not shown.");
    }
}
